// How does a test break the network between two processes of this machine?
using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Servers;

/// <summary>
/// A TCP relay to a port of 127.0.0.1. It can stop reading (both peers then see a full window, never a close), delay what it passes on, reset what is
/// connected, and refuse or swallow new connections. It listens on 127.0.0.1, or inside a network namespace.
/// </summary>
public sealed class Relay : IAsyncDisposable
{
    private readonly int _target;
    private readonly NetworkNamespace? _inside;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _lock = new();
    /// <summary>With the port of the peer that came to us; 0 for those that we opened.</summary>
    private readonly Dictionary<Socket, int> _sockets = [];
    private Socket? _listener;
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _paused;
    private Func<int, bool> _isCutOff = static _ => false;
    private int _accepted;
    private int _stuck;

    public Relay(int target, NetworkNamespace? inside = null)
    {
        (_target, _inside) = (target, inside);
        Accept();
    }

    public IPAddress Address => _inside?.Inside ?? IPAddress.Loopback;

    public int Port { get; } = FreePorts.Take();

    /// <summary>Waited before each piece is passed on, in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Accept connections, but never connect on: the peer waits for a word that never comes.</summary>
    public bool Swallow { get; set; }

    /// <summary>Connections passed on so far.</summary>
    public int Connections { get; private set; }

    /// <summary>Stops passing bytes on, in both directions; new connections are accepted and wait too.</summary>
    public void Pause()
    {
        lock (_lock) _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Those that are connected now pass on no byte any more, and are not closed; new ones do. Half-open connections, for good.</summary>
    public void StickConnected()
    {
        lock (_lock) _stuck = _accepted;
    }

    public void Resume()
    {
        TaskCompletionSource? paused;
        lock (_lock) (paused, _paused) = (_paused, null);
        paused?.SetResult();
    }

    /// <summary>RST on every connection, both sides.</summary>
    public void Reset() => CloseAll(reset: true);

    /// <summary>FIN on every connection, both sides.</summary>
    public void Close() => CloseAll(reset: false);

    /// <summary>Stops listening and resets what is connected: connects are refused until Accept.</summary>
    public void Cut()
    {
        _listener?.Dispose();
        _listener = null;
        Reset();
    }

    /// <summary>As Cut, but only for some peers: those of these ports. A new connection of theirs is reset at once. Until it is said anew.</summary>
    public void CutOff(Func<int, bool> isCutOff)
    {
        List<Socket> theirs;
        lock (_lock)
        {
            _isCutOff = isCutOff;
            theirs = [.. _sockets.Where(one => one.Value != 0 && isCutOff(one.Value)).Select(one => one.Key)];
        }

        foreach (var socket in theirs) Drop(socket, reset: true);
    }

    public void Accept()
    {
        if (_listener is not null) return;
        _listener = _inside is null ? Listen() : _inside.MakeInside(Listen);
        _ = AcceptAsync(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        Cut();
        Resume();
        _disposed.TrySetResult();
        _ending.Dispose();
    }

    private Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(Address, Port));
        listener.Listen(512);
        return listener;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true) _ = RelayAsync(await listener.AcceptAsync(_ending.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut or disposed.
        }
    }

    private async Task RelayAsync(Socket near)
    {
        if (!TryKeep(near) || Swallow) return;

        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        int number;
        lock (_lock)
        {
            _sockets.Add(far, 0);
            number = ++_accepted;
        }

        try
        {
            await far.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), _ending.Token).ConfigureAwait(false);
            lock (_lock) Connections++;
            await Task.WhenAll(CopyAsync(near, far, number), CopyAsync(far, near, number)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Drop(near, reset: true);
            Drop(far, reset: true);
        }
        Drop(near, reset: false);
        Drop(far, reset: false);
    }

    private async Task CopyAsync(Socket from, Socket to, int number)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await PausedAsync(number).ConfigureAwait(false);
                var received = await from.ReceiveAsync(buffer, _ending.Token).ConfigureAwait(false);
                await PausedAsync(number).ConfigureAwait(false);
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, _ending.Token).ConfigureAwait(false);
                if (received == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }
                for (var sent = 0; sent < received;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, received - sent), _ending.Token).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            // One direction broke: the other must not wait for it.
            Drop(from, reset: true);
            Drop(to, reset: true);
            throw;
        }
    }

    private Task PausedAsync(int number)
    {
        lock (_lock) return number <= _stuck ? _disposed.Task : _paused?.Task ?? Task.CompletedTask;
    }

    /// <summary>False when the peer is cut off.</summary>
    private bool TryKeep(Socket near)
    {
        var port = ((IPEndPoint)near.RemoteEndPoint!).Port;
        Func<int, bool> isCutOff;
        lock (_lock)
        {
            _sockets.Add(near, port);
            isCutOff = _isCutOff;
        }

        if (!isCutOff(port)) return true;

        Drop(near, reset: true);
        return false;
    }

    private void CloseAll(bool reset)
    {
        Socket[] sockets;
        lock (_lock) sockets = [.. _sockets.Keys];
        foreach (var socket in sockets) Drop(socket, reset);
    }

    private void Drop(Socket socket, bool reset)
    {
        lock (_lock)
        {
            if (!_sockets.Remove(socket)) return;
        }
        if (reset) socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
