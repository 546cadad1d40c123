using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Servers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Does what runs beside a feed's loops end in time, and is a fault in it heard of?</summary>
public sealed class SideTasksTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _died = [];
    private readonly SideTasks _tasks;

    public SideTasksTests() => _tasks = new SideTasks(_time, (name, fault) => _died.Add($"{name}: {fault.Message}"));

    [Fact]
    public async Task A_task_that_takes_too_long_is_cancelled_and_that_is_no_fault()
    {
        _tasks.Run("waiting", TimeSpan.FromSeconds(3), end => Task.Delay(Timeout.Infinite, end));
        var settled = _tasks.SettledAsync();
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(settled.IsCompleted);

        await Eventually.TrueAsync("its end", () =>
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            return settled.IsCompleted;
        });
        Assert.Empty(_died);
    }

    [Fact]
    public async Task At_the_end_every_task_is_cancelled_and_waited_for_until_it_has_done_what_it_owes()
    {
        var isDone = new TaskCompletionSource();
        var hasPaid = false;
        _tasks.Run("paying", TimeSpan.FromHours(1), async end =>
        {
            await Task.Delay(Timeout.Infinite, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await isDone.Task;
            hasPaid = true;
        });
        var ending = _tasks.EndAsync();
        Assert.False(ending.IsCompleted);

        isDone.SetResult();
        await ending.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(hasPaid);
        Assert.Empty(_died);
    }

    [Fact]
    public async Task A_fault_is_told_with_the_name_of_the_task()
    {
        _tasks.Run("judging", TimeSpan.FromSeconds(3), _ => throw new NotSupportedException("a bug"));
        await _tasks.SettledAsync().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.Equal(["judging: a bug"], _died);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_in_what_asks_a_neighbour_ends_the_feed_loudly(bool isPromoted)
    {
        const string Master = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", Slave = "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";
        var role = isPromoted ? Slave : Master;
        var node = new ScriptedNode
        {
            Answer = command => command[0] == "ROLE" ? role : null
        };
        var log = new RecordingLogger();
        var gaps = new GapLog();
        var options = new NodeFeedOptions { HasSuccessors = true, RoleInterval = TimeSpan.FromMilliseconds(250) };
        await using var feed = new NodeFeed(new RedisAddress(), options, new RecordingSink(), gaps, TimeProvider.System, log, new GroupOfOne().Membership, null, node)
        {
            Predecessor = () => throw new NotSupportedException("a bug"),
            Successor = () => throw new NotSupportedException("a bug"),
        };
        feed.Want(EventClass.All);
        feed.Start();
        await Eventually.TrueAsync("the first marker", () => feed.Status.MarkersSeen > 0);

        node.Hold();
        await node.EventAsync("last"); // waits for the answer behind it
        await Eventually.TrueAsync("the event", () => feed.Status.Received == 1);
        role = isPromoted ? Master : Slave;
        node.Release();
        await Assert.ThrowsAsync<NotSupportedException>(() => feed.Completion.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        await Eventually.TrueAsync("the state", () => feed.Status.State == FeedState.Stopped);
        Assert.Contains(log.Lines, line => line.StartsWith("Critical 2020", StringComparison.Ordinal));
        await Eventually.TrueAsync("the connection to be closed", () => node.Open.Count == 0);
    }
}
