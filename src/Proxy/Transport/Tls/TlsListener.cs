using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using KeyEvt.Proxy.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// A listening socket that hands clients over when their TLS handshake is done. A client whose handshake is slow or fails keeps nobody waiting, and never
/// becomes a session. <see cref="HandshakeAdmission"/> decides whose handshake runs.
/// </summary>
/// <param name="room">Admits the clients of all addresses of the program.</param>
internal sealed class TlsListener(SocketListener listener, TlsServer server, HandshakeAdmission room, TimeProvider time, ILogger logger) : IConnectionListener
{
    private const string NoPlace = "too many others wait for their handshake";

    private readonly RefusedHandshakes _refused = new(TransportAddress.TlsScheme + listener.Address, time, logger);

    /// <summary>
    /// The clients whose handshake is done. This channel and <see cref="_end"/> are used until the address is refused, and replaced when it listens again. A
    /// handshake that ends too late finds the channel completed. The accept loop replaces it; handshakes on other threads read it by volatile.
    /// </summary>
    private volatile Channel<IConnection> _ready = Channel.CreateUnbounded<IConnection>();

    /// <summary>This and the fields below are used by the accept loop only, and by <see cref="DisposeAsync"/> after it.</summary>
    private CancellationTokenSource _end = new();

    /// <summary>The task that resets those who were no session yet when <see cref="Refuse"/> was called.</summary>
    private Task _dropping = Task.CompletedTask;

    /// <summary>
    /// The two tasks that <see cref="AcceptAsync"/> waits for: a new socket, or a client in the channel. Both outlast a call, and the next call goes on with
    /// them. If each call made a new task, every one would stay registered with the channel until a client arrives there.
    /// </summary>
    private Task<Socket>? _accepting;
    private Task<bool>? _arriving;

    public string Address => TransportAddress.TlsScheme + listener.Address;

    public bool CanRefuse => listener.CanRefuse;

    /// <summary>First ends the accept that is under way. Otherwise it would fail, and the socket would be taken for broken.</summary>
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
                if (!isOpen) throw new SocketException((int)SocketError.OperationAborted); // the listener was disposed of
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

    /// <summary>Resets all clients that are no session yet. When it returns, none of them can become one.</summary>
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
            TransportLog.EndFault(logger, e);
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
            if (guest is null) _refused.Report(client, NoPlace);
            else isLetIn = await ShakeHandsAsync(guest, client).ConfigureAwait(false);
        }
        catch (Exception) when (guest is { Reason: { } reason })
        {
            if (reason != HandshakeAdmission.Closed)
            {
                _refused.Report(client, reason); // a listener that closes puts out all of its clients at once, and that is not reported
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            _refused.Report(client, e.Message);
        }
        catch (Exception e)
        {
            TlsLog.HandshakeFault(logger, Address, RefusedHandshakes.Name(client), e); // logged here, as nobody awaits this task
        }
        finally
        {
            if (guest is not null) room.Leave(guest);
            if (!isLetIn) socket.Dispose();
        }
    }

    /// <summary>
    /// Waits for the ClientHello, then for its place, then for the handshake. False: the client left without sending anything, as a port scan or a health check
    /// does.
    /// </summary>
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
        await DropAsync(connection).ConfigureAwait(false); // the channel is completed: no client is accepted any more
        return false;
    }
}
