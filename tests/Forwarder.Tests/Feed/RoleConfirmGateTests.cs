using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Servers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>When is a master's event passed on that waits for an answer behind it?</summary>
public sealed class RoleConfirmGateTests
{
    private const int MaxWaiting = 16 * 1024 * 1024;

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingSink _sink = new();
    private readonly NotificationRing _echo = new(1 << 20);
    private readonly FeedContext _feed;
    private readonly RoleConfirmGate _gate;
    private int _asked;
    private int _count = 3;

    public RoleConfirmGateTests()
    {
        var parts = new FeedParts(_sink, _time, new NodeFeedOptions());
        (_feed, _gate) = (parts.Feed, parts.Outlet);
        _feed.Echo = _echo;
        _gate.AskToConfirm = () => Interlocked.Increment(ref _asked);
        parts.TakeOffice(claim: 2);
    }

    [Fact]
    public void What_waits_is_passed_on_with_the_next_confirmation_and_remembered_with_its_markers()
    {
        var batches = _sink.Batches;
        _gate.Confirm();
        Assert.Equal(batches, _sink.Batches);
        _gate.Add(new EventPosition(FeedParts.Run, 2, 3), new Notification(4, "hset"u8, "a"u8, default, "1:f"u8), 5);
        _gate.AddMarker("marker"u8);
        Add("b");
        Assert.True(_gate.HasWaiting);
        Assert.Empty(_sink.Keys);
        _gate.Confirm();
        _gate.Confirm();

        Assert.False(_gate.HasWaiting);
        Assert.Equal(["a", "b"], _sink.Keys);
        var first = _sink.Entries[0];
        Assert.Equal((new EventPosition(FeedParts.Run, 2, 3), 4, "hset", "1:f", 5, EventClass.Hash), (first.Position, first.Database, first.Event, first.Fields, first.At, first.Class));
        Assert.Equal([false, true, false], _echo.Read().Select(one => one.IsMarker));
        Assert.Equal(batches + 1, _sink.Batches);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void More_than_sixteen_mebibytes_do_not_wait(int more, bool isPassedOn)
    {
        var ring = new NotificationRing(int.MaxValue);
        ring.Add(default, 0, "set"u8, default, default, 0);
        _gate.Add(new EventPosition(FeedParts.Run, 2, ++_count), new Notification(0, "set"u8, new byte[MaxWaiting - ring.Bytes + more], default, default), 0);
        Assert.Equal((isPassedOn, !isPassedOn), (_sink.Entries.Count == 1, _gate.HasWaiting));
    }

    [Fact]
    public void What_a_demoted_node_sent_last_is_taken_out_without_markers_and_no_longer_waits()
    {
        Serve("own");
        _feed.Slots.OthersFirst = static () => Task.Delay(Timeout.Infinite);
        Add("other");
        _gate.AddMarker("marker"u8);
        Assert.Equal(["other"], _gate.TakeDoubtful().Select(one => System.Text.Encoding.ASCII.GetString(one.Key.Span)));
        Assert.False(_gate.HasWaiting);
        Add("own");
        _gate.Confirm();
        Assert.Equal(["own"], _sink.Keys);
    }

    [Fact]
    public void What_is_found_out_to_be_the_nodes_own_is_passed_on_as_one_batch()
    {
        var batches = _sink.Batches;
        _gate.PassOn([]);
        Assert.Equal(batches, _sink.Batches);
        _gate.PassOn([Recorded("a"), Recorded("b")]);
        Assert.Equal(["a", "b"], _sink.Keys);
        Assert.Equal(batches + 1, _sink.Batches);
        Assert.Equal(2, _echo.Read().Count);
        _gate.PassOn([Recorded("c")]);
        Assert.Equal(batches + 2, _sink.Batches);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_of_a_slot_from_another_node_waits_for_that_node_or_for_ten_seconds(bool answers)
    {
        var others = new TaskCompletionSource();
        var questions = 0;
        Serve("own");
        _feed.Slots.OthersFirst = () =>
        {
            questions++;
            return others.Task;
        };
        Add("own");
        _gate.Confirm();
        Assert.Equal(["own"], _sink.Keys);
        Assert.Equal(0, questions);

        Add("other");
        _gate.Confirm();
        await Eventually.TrueAsync("the question", () => questions == 1);
        _gate.Confirm();
        Assert.Equal(["own"], _sink.Keys);
        Assert.Equal(0, _asked);
        if (answers) others.SetResult();
        else _time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync("the next question for the role", () => _asked == 1);
        _gate.Confirm();
        Assert.Equal(["own", "other"], _sink.Keys);
        Assert.Equal(1, questions);
    }

    [Fact]
    public async Task When_a_slot_comes_to_the_node_what_waits_then_waits_for_the_others_once()
    {
        var questions = 0;
        Serve("own");
        _feed.Slots.OthersFirst = () =>
        {
            questions++;
            return Task.CompletedTask;
        };
        Serve("own", "gained");
        Add("gained");
        _gate.Confirm();
        Assert.Empty(_sink.Keys);
        await Eventually.TrueAsync("the next question for the role", () => _asked == 1);
        _gate.Confirm();
        Add("gained");
        _gate.Confirm();
        Assert.Equal(["gained", "gained"], _sink.Keys);
        Assert.Equal(1, questions);
    }

    private void Add(string key) => _gate.Add(new EventPosition(FeedParts.Run, 2, ++_count), new Notification(0, "set"u8, System.Text.Encoding.ASCII.GetBytes(key), default, default), 0);

    private void Serve(params string[] keys)
    {
        var served = new bool[SlotTag.Slots];
        foreach (var key in keys) served[SlotTag.SlotOfKey(System.Text.Encoding.ASCII.GetBytes(key))] = true;
        _feed.Slots.Change(served);
    }

    private RecordedNotification Recorded(string key) => new(new EventPosition(FeedParts.Run, 2, ++_count), 0, "set"u8.ToArray(), System.Text.Encoding.ASCII.GetBytes(key), default, 0, default);
}
