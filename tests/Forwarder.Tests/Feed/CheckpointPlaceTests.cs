using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Under which key is the state of a cluster's node, what is known from other nodes, and what is stored at the end? Over a scripted node, in virtual time.</summary>
public sealed class CheckpointPlaceTests
{
    private static readonly DateTimeOffset Earlier = DateTimeOffset.FromUnixTimeMilliseconds(900_000_000_000);

    private readonly CheckpointRegistry _shelf = new("state", "me");
    private readonly ScriptedNode _node = new() { IsCluster = true };
    private volatile string? _tag = "7";

    public CheckpointPlaceTests() => _node.Answer = command => command[0] == "GET" ? "_\r\n" : null;

    [Fact]
    public async Task In_a_cluster_the_key_is_in_a_slot_of_the_node_and_what_is_known_is_not_read_again_from_another_one()
    {
        await using var rig = Rig();
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET state{7} ") == 1);
        _tag = null;
        await _node.EventAsync("a");
        await rig.AnsweredAsync(8);
        Assert.Equal(1, rig.Count("SET"));

        _tag = "9";
        await rig.AnsweredUntilAsync("the state in the other slot", () => rig.Count("SET state{9} ") == 1);
        Assert.Equal(1, rig.Count("GET state{7}"));
        Assert.Equal((1, 0), (rig.Count("GET"), rig.Count("SET state ")));
    }

    [Fact]
    public async Task A_node_that_has_no_state_was_missed_like_the_others_that_have_one()
    {
        await using var rig = Rig();
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET") == 1);
        Assert.Equal(0, rig.Gaps.Total);
        _shelf.Found(new Checkpoint(new EventPosition(1, 55, 6), Earlier, "old"));
        await rig.AnsweredUntilAsync("the gap", () => rig.Gaps.Total == 1);
        await rig.AnsweredAsync(8);

        var gap = Assert.Single(rig.Gaps.Recent);
        Assert.Equal((GapCause.NotRunning, "keyevt did not run", Earlier), (gap.Cause, gap.Detail, gap.From));
        Assert.Equal((rig.Feed.Status.Position.RunId, 55, 0), (gap.LastPosition.RunId, gap.LastPosition.Marker, gap.LastPosition.Count));
    }

    [Fact]
    public async Task A_node_that_came_later_was_not_missed()
    {
        _shelf.Found(new Checkpoint(new EventPosition(1, 55, 6), Earlier, "old"));
        await using var rig = Rig(cameLater: true);
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET") == 1);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task A_state_that_is_found_is_known_to_the_feeds_of_other_nodes()
    {
        _node.Answer = command => command[0] == "GET" ? ScriptedNode.Bulk($"1 00000000000000ab-1-0 {Earlier.ToUnixTimeMilliseconds()} old") : null;
        await using var rig = Rig();
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET") == 1);
        Assert.Equal((Earlier, "old"), (_shelf.Newest?.At, _shelf.Newest?.Writer));
        Assert.Equal(1, rig.Gaps.Total);
    }

    [Fact]
    public async Task At_the_end_the_state_is_stored_once_more_though_nothing_has_come()
    {
        await using var rig = Rig();
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET") == 1);
        await rig.AnsweredAsync(8);
        var before = rig.Time.GetUtcNow();
        rig.Time.Advance(TimeSpan.FromMilliseconds(100)); // between two beats
        await rig.Feed.CatchUpAsync(TimeSpan.FromSeconds(5), isLast: true);
        rig.Sink.IsClosed = true;
        await rig.Feed.Ending.KeepStateAsync(TimeSpan.FromSeconds(5)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Equal(2, rig.Count("SET"));
        Assert.True(Checkpoint.Parse(rig.Node.Commands.Last(command => command.StartsWith("SET ", StringComparison.Ordinal)).Replace("SET state{7} ", "", StringComparison.Ordinal))!.At > before);
    }

    [Fact]
    public async Task At_the_end_what_is_not_safe_yet_is_waited_for()
    {
        await using var rig = Rig();
        await StartAsync(rig);
        await rig.AnsweredUntilAsync("the state", () => rig.Count("SET") == 1);
        rig.Sink.IsUnsettled = true;
        await rig.Feed.CatchUpAsync(TimeSpan.FromSeconds(5), isLast: true);
        var keeping = rig.Feed.Ending.KeepStateAsync(TimeSpan.FromHours(1));
        await rig.AnsweredAsync(4);
        Assert.Equal((false, 1), (keeping.IsCompleted, rig.Count("SET")));
        rig.Sink.IsUnsettled = false;
        await rig.AnsweredUntilAsync("the state to be stored", () => keeping.IsCompleted);
        Assert.Equal(2, rig.Count("SET"));
    }

    [Fact]
    public async Task At_the_end_a_node_that_is_silent_is_waited_for_no_longer_than_allowed_and_one_without_a_subscription_not_at_all()
    {
        await using var rig = Rig();
        await rig.Feed.Ending.KeepStateAsync(TimeSpan.FromHours(1)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await StartAsync(rig);
        _node.Hold();
        var keeping = rig.Feed.Ending.KeepStateAsync(TimeSpan.FromSeconds(3));
        rig.Time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(keeping.IsCompleted);
        rig.Time.Advance(TimeSpan.FromSeconds(0.1));
        await keeping.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        _node.Release();
    }

    [Fact]
    public async Task Where_no_state_is_kept_the_end_waits_for_nothing()
    {
        await using var rig = new ScriptedFeed();
        await rig.StartAsync();
        await rig.Feed.Ending.KeepStateAsync(TimeSpan.FromHours(1)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await rig.AnsweredAsync(8);
        Assert.Equal(0, rig.Count("GET") + rig.Count("SET"));
    }

    private ScriptedFeed Rig(bool cameLater = false) => new(node: _node, shelf: _shelf, cameLater: cameLater, stateTag: () => _tag);

    private static async Task StartAsync(ScriptedFeed rig)
    {
        rig.Want(EventClass.All);
        rig.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => rig.Feed.Status.IsInStep);
    }
}
