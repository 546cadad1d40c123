using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// A listening socket whose clients are handed over when their handshake is done: one that is slow at it, or fails, keeps nobody waiting and
/// never becomes a session. <see cref="HandshakeAdmission"/> decides whose handshake runs.
/// </summary>
/// <param name="room">Shared by all addresses.</param>
internal sealed class TlsListener(SocketListener listener, TlsServer server, HandshakeAdmission room, TimeProvider time, ILogger logger) : IConnectionListener
{
    private const string NoPlace = "too many others wait for their handshake";
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly RateLimiter _warnings = new(time, WarnEvery);

    /// <summary>These two last until nobody is let in any more; where it listens again it has new ones. Who comes too late finds the channel completed.</summary>
    private volatile Channel<IConnection> _ready = Channel.CreateUnbounded<IConnection>();
    private CancellationTokenSource _end = new();

    /// <summary>Those who were no session yet when <see cref="Refuse"/> was called.</summary>
    private Task _dropping = Task.CompletedTask;

    /// <summary>These two outlive a call: were they begun anew for each client that comes to nothing, each would stay in the channel until one comes in.</summary>
    private Task<Socket>? _accepting;
    private Task<bool>? _arriving;

    public string Address => TransportAddress.TlsScheme + listener.Address;

    public bool CanRefuse => listener.CanRefuse;

    /// <summary>The accept that goes on between two calls is ended first: it would fail, and the socket be taken for broken.</summary>
    public void Refuse()
    {
        _end.Cancel();
        listener.Refuse();
        _dropping = DropAllAsync();
        (_accepting, _arriving) = (null, null);
    }

    public void RefuseNoMore()
    {
        listener.RefuseNoMore();
        (_end, _ready) = (new CancellationTokenSource(), Channel.CreateUnbounded<IConnection>());
    }

    public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_ready.Reader.TryRead(out var client)) return client;
            _arriving ??= _ready.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
            _accepting ??= listener.AcceptSocketAsync(_end.Token).AsTask();
            if (await Task.WhenAny(_arriving, _accepting).WaitAsync(cancellationToken).ConfigureAwait(false) == _arriving)
            {
                var isOpen = await _arriving.ConfigureAwait(false);
                _arriving = null;
                if (!isOpen) throw new SocketException((int)SocketError.OperationAborted); // disposed
                continue;
            }

            var accepted = _accepting;
            _accepting = null;
            _ = LetInAsync(await accepted.ConfigureAwait(false));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await listener.DisposeAsync().ConfigureAwait(false);
        await _dropping.ConfigureAwait(false);
        await DropAllAsync().ConfigureAwait(false);
    }

    /// <summary>Resets all who are no session yet. Before this returns nobody can become one.</summary>
    private async Task DropAllAsync()
    {
        _ready.Writer.TryComplete();
        room.PutOutAll(this);
        var dropping = new List<Task>();
        while (_ready.Reader.TryRead(out var client)) dropping.Add(DropAsync(client));
        if (_accepting is { } accepting)
        {
            await ((Task)accepting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (accepting.IsCompletedSuccessfully) (await accepting.ConfigureAwait(false)).Reset();
        }

        await Task.WhenAll(dropping).ConfigureAwait(false);
    }

    private async Task DropAsync(IConnection client)
    {
        try
        {
            client.ResetPeer();
            await client.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ListenLog.EndFault(logger, e);
        }
    }

    private async Task LetInAsync(Socket socket)
    {
        IPEndPoint? client = null;
        PendingHandshake? guest = null;
        var isLetIn = false;
        try
        {
            client = (IPEndPoint)socket.RemoteEndPoint!;
            guest = room.Enter(socket, client.Address, this);
            if (guest is null) Refused(client, NoPlace);
            else isLetIn = await ShakeHandsAsync(guest, client).ConfigureAwait(false);
        }
        catch (Exception) when (guest is { Reason: { } reason })
        {
            if (reason != HandshakeAdmission.Closed) Refused(client, reason); // else all clients of this address are put out at once
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Refused(client, e.Message);
        }
        catch (Exception e)
        {
            TlsLog.HandshakeFault(logger, Address, Name(client), e); // nobody awaits this task
        }
        finally
        {
            if (guest is not null) room.Leave(guest);
            if (!isLetIn) socket.Dispose();
        }
    }

    /// <summary>False: it left without a word, as who only looks whether the port is open.</summary>
    private async Task<bool> ShakeHandsAsync(PendingHandshake guest, IPEndPoint client)
    {
        var hello = await ClientHello.ReceiveAsync(guest.Socket).ConfigureAwait(false);
        if (hello.IsEmpty) return false;
        if (!await room.TurnAsync(guest).ConfigureAwait(false)) throw new IOException(guest.Reason);
        var secure = await server.SecureAsync(new HelloStream(guest.Socket, hello)).ConfigureAwait(false);
        if (!room.Leave(guest))
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw new IOException(guest.Reason);
        }

        var connection = new TlsConnection(guest.Socket, secure, client.ToString(), time);
        if (_ready.Writer.TryWrite(connection)) return true;
        await DropAsync(connection).ConfigureAwait(false); // nobody is let in any more
        return false;
    }

    /// <summary>Whoever scans ports must not fill the log: one warning in ten seconds, the rest is for debugging.</summary>
    private void Refused(IPEndPoint? client, string why)
    {
        if (client is not null && _warnings.TryTake()) TlsLog.HandshakeRefused(logger, Address, Name(client), why);
        else if (logger.IsEnabled(LogLevel.Debug)) TlsLog.HandshakeRefusedToo(logger, Address, Name(client), why);
    }

    private static string Name(IPEndPoint? client) => client?.ToString() ?? "a client that had gone already";
}
