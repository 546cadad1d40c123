using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Epoll;
using KeyEvt.Proxy.Transport.Sockets;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>How long does the end of a connection wait for a peer that does not read?</summary>
public sealed class SendDeadlineTests
{
    private readonly WatchedTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task It_waits_ten_seconds_over_epoll() => WaitsTenSecondsAsync(new EpollTransport(time: _time));

    [Fact]
    public Task It_waits_ten_seconds_over_the_runtimes_sockets() => WaitsTenSecondsAsync(new SocketTransport(time: _time));

    private async Task WaitsTenSecondsAsync(ITransport transport)
    {
        await using var end = transport;
        await using var listener = transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(IPEndPoint.Parse(listener.Address), Cancel);
        var connection = await listener.AcceptAsync(Cancel);
        connection.Output.TryWrite(new byte[64 * 1024 * 1024]); // more than the kernel takes for a peer that does not read
        var disposing = connection.DisposeAsync().AsTask();
        await _time.Waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.NotSame(disposing, await Task.WhenAny(disposing, Task.Delay(200, Cancel)));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        await disposing.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    /// <summary>Tells when a wait of ten seconds begins. Before that, time that passes does not count.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waiting => _waiting.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == TimeSpan.FromSeconds(10)) _waiting.TrySetResult();
            return timer;
        }
    }
}
