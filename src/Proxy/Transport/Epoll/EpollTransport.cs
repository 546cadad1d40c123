using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Net;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Connections over event loops of the program's own, with one thread each: TCP and unix sockets, on Linux. A connection that is made on a loop's thread
/// belongs to that loop. So a session stays on the loop that its client was given to.
/// </summary>
internal sealed class EpollTransport : ITransport
{
    private readonly EpollLoop[] _loops;
    private readonly SocketSettings _settings;
    private readonly HappyEyeballs _race;

    /// <summary>Counted by any thread, by Interlocked.</summary>
    private int _nextLoop;

    /// <summary>
    /// The target of the last connect, whoever made it: a volatile reference to an immutable object. Threads that race here only make it anew.
    /// </summary>
    private volatile ConnectTarget? _lastTarget;

    /// <param name="race">Null: the system resolves names.</param>
    public EpollTransport(int loops = 1, SocketSettings? settings = null, TimeProvider? time = null, HappyEyeballs? race = null)
    {
        _race = race ?? HappyEyeballs.By(time ?? TimeProvider.System);
        _settings = settings ?? new SocketSettings();
        _loops = new EpollLoop[loops];
        for (var i = 0; i < loops; i++) _loops[i] = new EpollLoop($"loop {i}", _settings.KeepAliveSeconds, time ?? TimeProvider.System);
        Completion = FirstEndAsync();
    }

    public Task Completion { get; }

    public IConnectionListener Listen(TransportAddress address)
    {
        var socket = new ListeningSocket(address, _settings);
        try
        {
            return new EpollListener(socket, _loops);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        var loop = EpollLoop.Current ?? _loops[(uint)Interlocked.Increment(ref _nextLoop) % _loops.Length];
        var target = _lastTarget;
        if (target is null || !ReferenceEquals(target.Address, address)) _lastTarget = target = new ConnectTarget(address);
        return new ValueTask<IConnection>(target.ToResolve is { } dns ? ConnectByNameAsync(loop, dns, address, cancellationToken) : ConnectAsync(loop, target, cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var loop in _loops) await loop.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task<IConnection> ConnectByNameAsync(EpollLoop loop, DnsEndPoint dns, TransportAddress address, CancellationToken cancellationToken) => _race.ConnectAsync(
        dns.Host, dns.Port, (place, over) => ConnectAsync(loop, new ConnectTarget(address, place), over),
        static loser =>
        {
            loser.Abort();
            return loser.DisposeAsync();
        },
        cancellationToken);

    private static Task<IConnection> ConnectAsync(EpollLoop loop, ConnectTarget target, CancellationToken cancellationToken)
        => loop.IsCurrent ? EpollConnector.ConnectAsync(loop, target, cancellationToken) : ConnectFromElsewhereAsync(loop, target, cancellationToken);

    private static async Task<IConnection> ConnectFromElsewhereAsync(EpollLoop loop, ConnectTarget target, CancellationToken cancellationToken)
    {
        if (!await loop.SwitchAsync()) throw new SocketException((int)SocketError.OperationAborted);
        return await EpollConnector.ConnectAsync(loop, target, cancellationToken).ConfigureAwait(false);
    }

    private async Task FirstEndAsync() => await (await Task.WhenAny(_loops.Select(loop => loop.Completion)).ConfigureAwait(false)).ConfigureAwait(false);
}
