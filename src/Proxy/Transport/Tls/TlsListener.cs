using System.Net.Sockets;
using System.Threading.Channels;
using KeyEvt.Forwarder.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// A listening socket whose clients are handed over when their handshake is done: one that is slow at it, or fails, keeps nobody waiting and
/// never becomes a session. So many handshakes run at once and no more; further clients wait in the kernel's queue.
/// </summary>
internal sealed class TlsListener(SocketListener listener, TlsServer server, ILogger logger) : IConnectionListener
{
    private static readonly TimeSpan HandshakeDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);
    public const int MaxHandshakes = 256;

    private readonly Channel<IConnection> _ready = Channel.CreateUnbounded<IConnection>();
    private readonly SemaphoreSlim _handshakes = new(MaxHandshakes);
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Outlives a call that returned a client meanwhile.</summary>
    private Task<Socket>? _accepting;
    private long _warnedAt = Environment.TickCount64 - (long)WarnEvery.TotalMilliseconds;

    public string Address => TransportAddress.TlsScheme + listener.Address;

    public async ValueTask<IConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_ready.Reader.TryRead(out var client)) return client;
            var next = _ready.Reader.WaitToReadAsync(cancellationToken).AsTask();
            _accepting ??= AcceptSocketAsync(cancellationToken);
            if (await Task.WhenAny(next, _accepting).ConfigureAwait(false) == next)
            {
                if (await next.ConfigureAwait(false)) continue;
                throw new SocketException((int)SocketError.OperationAborted); // disposed
            }

            var accepted = _accepting;
            _accepting = null;
            _ = ShakeHandsAsync(await accepted.ConfigureAwait(false));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await listener.DisposeAsync().ConfigureAwait(false);
        _ready.Writer.TryComplete();
        if (_accepting is { } accepting)
        {
            await ((Task)accepting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (accepting.IsCompletedSuccessfully) (await accepting.ConfigureAwait(false)).Dispose();
        }

        while (_ready.Reader.TryRead(out var client))
        {
            client.Abort();
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<Socket> AcceptSocketAsync(CancellationToken cancellationToken)
    {
        await _handshakes.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await listener.AcceptSocketAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _handshakes.Release();
            throw;
        }
    }

    private async Task ShakeHandsAsync(Socket socket)
    {
        string name = "a client";
        using var deadline = new CancellationTokenSource(HandshakeDeadline);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _closed.Token);
        try
        {
            name = socket.RemoteEndPoint!.ToString()!;
            var secure = await server.SecureAsync(new NetworkStream(socket, ownsSocket: true), either.Token).ConfigureAwait(false);
            if (!_ready.Writer.TryWrite(new TlsConnection(socket, secure, name))) await secure.DisposeAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (!_closed.IsCancellationRequested) Refused(name, $"no handshake within {HandshakeDeadline.TotalSeconds} s");
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Refused(name, e.Message);
        }
        catch (Exception e)
        {
            ProxyLog.HandshakeFault(logger, Address, name, e); // nobody awaits this task
        }
        finally
        {
            _handshakes.Release();
        }
    }

    /// <summary>Whoever scans ports must not fill the log: one warning in ten seconds, the rest is for debugging.</summary>
    private void Refused(string name, string why)
    {
        long now = Environment.TickCount64, last = Volatile.Read(ref _warnedAt);
        bool warn = now - last >= WarnEvery.TotalMilliseconds && Interlocked.CompareExchange(ref _warnedAt, now, last) == last;
        if (warn) ProxyLog.HandshakeRefused(logger, Address, name, why);
        else ProxyLog.HandshakeRefusedToo(logger, Address, name, why);
    }
}
