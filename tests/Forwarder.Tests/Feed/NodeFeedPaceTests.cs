using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is a node asked as rarely as may be: nothing wanted, nothing happening, events flowing? In virtual time, over a scripted node.</summary>
public sealed class NodeFeedPaceTests : IAsyncDisposable
{
    private const int BeatsInTenSeconds = 40;

    private readonly ScriptedFeed _rig = new(options => options with { QuietInterval = TimeSpan.FromSeconds(1) }, quiet: TimeSpan.FromSeconds(1));

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task While_events_flow_there_are_four_markers_and_four_looks_a_second()
    {
        await _rig.StartAsync();
        var before = Counts();
        for (var beat = 0; beat < BeatsInTenSeconds; beat++)
        {
            await _rig.Node.EventAsync($"{beat}");
            await Eventually.TrueAsync("the event", () => _rig.Sink.Entries.Count == beat + 1);
            await BeatAsync();
        }

        var now = Counts();
        Assert.Equal((40, 40, 40), (now.Markers - before.Markers, now.Looks - before.Looks, now.Counts - before.Counts));
        Assert.InRange(now.Roles - before.Roles, 9, 11);
    }

    [Fact]
    public async Task While_no_events_come_there_is_one_of_each_a_second_and_the_first_event_changes_that()
    {
        await _rig.StartAsync();
        await BeatAsync(8); // the first second is one in which events may flow
        var before = Counts();
        await BeatAsync(BeatsInTenSeconds);
        var quiet = Counts();
        Assert.Equal((10, 10, 10, 10), (quiet.Markers - before.Markers, quiet.Looks - before.Looks, quiet.Counts - before.Counts, quiet.Roles - before.Roles));

        await _rig.Node.EventAsync("first");
        await _rig.KeysAsync("first");
        await BeatAsync(3);
        Assert.Equal(3, Counts().Markers - quiet.Markers);
        await BeatAsync(5);
        before = Counts();
        await BeatAsync(BeatsInTenSeconds);
        Assert.Equal(10, Counts().Markers - before.Markers);
    }

    [Fact]
    public async Task What_the_program_stores_itself_is_no_event_that_flows()
    {
        await _rig.StartAsync();
        await BeatAsync(8);
        var before = Counts();
        for (var beat = 0; beat < BeatsInTenSeconds; beat++)
        {
            await _rig.Node.EventAsync(FallbackKey.Name);
            await BeatAsync();
        }

        Assert.Equal((10, 10), (Counts().Looks - before.Looks, Counts().Counts - before.Counts));
    }

    [Fact]
    public async Task With_nothing_wanted_the_role_is_asked_and_a_mark_said_every_ten_seconds_and_nothing_else()
    {
        _rig.Want(EventClass.None);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the connection", () => _rig.Feed is { Status: { IsInStep: true, State: FeedState.Subscribed }, GroupStatus.IsHolder: true });
        await BeatAsync(BeatsInTenSeconds); // the first questions are not those of what follows
        var commands = _rig.Node.Commands.Count;
        await BeatAsync(4 * BeatsInTenSeconds);

        var asked = _rig.Node.Commands.Skip(commands).ToList();
        Assert.Equal((4, 4, 8), (asked.Count(one => one == "ROLE"), asked.Count(one => one.Contains(" mark ", StringComparison.Ordinal)), asked.Count));
        Assert.Equal(0, _rig.Count("PSUBSCRIBE"));
    }

    [Fact]
    public async Task With_nothing_wanted_a_dead_connection_is_noticed_too()
    {
        _rig.Want(EventClass.None);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the connection", () => _rig.Feed.Status.IsInStep);
        _rig.Node.IsDeaf = connection => connection == 1;
        var from = _rig.Time.GetUtcNow();
        await _rig.BeatUntilAsync("the second connection to count", () => _rig.Feed.Status is { State: FeedState.Subscribed, Reconnects: 1 });
        Assert.True(_rig.Time.GetUtcNow() - from < TimeSpan.FromSeconds(15));
        Assert.Equal(0, _rig.Gaps.Total);
    }

    [Fact]
    public async Task Marks_come_each_second_while_something_is_wanted_and_each_ten_while_nothing_is()
    {
        _rig.Want(EventClass.None);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the connection", () => _rig.Feed.Status.IsInStep);
        _rig.Want(EventClass.All);
        await BeatAsync(8);
        var sent = _rig.Feed.Status.MarkersSent;
        await BeatAsync(BeatsInTenSeconds);
        Assert.Equal(10, _rig.Feed.Status.MarkersSent - sent);
        await _rig.Node.EventAsync("a");
        await _rig.KeysAsync("a");

        _rig.Want(EventClass.None);
        await Eventually.TrueAsync("the end of the events' subscription", () => _rig.Feed.Status is { IsInStep: true, Patterns.Count: 0 });
        await BeatAsync(BeatsInTenSeconds);
        sent = _rig.Feed.Status.MarkersSent;
        await BeatAsync(2 * BeatsInTenSeconds);
        Assert.Equal(2, _rig.Feed.Status.MarkersSent - sent);

        _rig.Want(EventClass.All);
        await _rig.BeatUntilAsync("marks again", () => _rig.Feed.Status.MarkersSeen >= sent + 3);
        await _rig.Node.EventAsync("b");
        await _rig.KeysAsync("a", "b");
        Assert.Equal((0, 1), (_rig.Gaps.Total, _rig.Node.Connects));
    }

    [Fact]
    public async Task What_is_wanted_after_a_while_without_is_forwarded_only_once_the_role_is_known_anew()
    {
        _rig.Want(EventClass.None);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the connection", () => _rig.Feed.Status.IsInStep);
        await BeatAsync(20);
        var roles = _rig.Count("ROLE");
        _rig.Node.Answer = command => command[0] == "ROLE" ? "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n" : null;
        _rig.Want(EventClass.All);
        await Eventually.TrueAsync("the feed to be held back", () => _rig.Feed.Status is { State: FeedState.HeldBack, IsInStep: true });
        Assert.Equal(roles + 1, _rig.Count("ROLE"));
        Assert.True(Index("ROLE") < Index("PSUBSCRIBE"), "it is asked first");
        await _rig.Node.EventAsync("of a replica");
        await Eventually.TrueAsync("it is held back", () => _rig.Feed.Status.HeldBack == 1);
        Assert.Empty(_rig.Sink.Keys);
    }

    [Fact]
    public async Task A_dead_connection_is_noticed_within_five_seconds_while_no_events_come()
    {
        await _rig.StartAsync();
        await BeatAsync(20);
        await _rig.SeenAsync();
        _rig.Node.IsDeaf = connection => connection == 1;
        var from = _rig.Time.GetUtcNow();

        await _rig.BeatUntilAsync("the second connection to count", () => _rig.Feed.Status is { State: FeedState.Subscribed, Reconnects: 1 });
        var gap = Assert.Single(_rig.Gaps.Recent);
        Assert.True(gap.From <= from && from - gap.From <= TimeSpan.FromSeconds(1), "the gap begins at the last proof, a second before at most");
        Assert.InRange(_rig.Time.GetUtcNow() - from, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task One_who_sets_something_each_second_is_looked_at_often_and_makes_no_gap()
    {
        var sets = 0;
        _rig.Node.Answer = command => command is ["INFO", "commandstats"]
            ? ScriptedNode.Bulk($"cmdstat_config|get:calls={_rig.Count("CONFIG GET")},usec=1,failed_calls=0\r\ncmdstat_config|set:calls={sets},usec=1,failed_calls=0\r\n")
            : null;
        await _rig.StartAsync();
        await BeatAsync(20);
        for (var second = 0; second < 20; second++)
        {
            sets++;
            await BeatAsync(4);
        }

        var before = Counts();
        sets++;
        await BeatAsync(8);
        Assert.Equal(8, Counts().Looks - before.Looks);
        Assert.Equal(2, Counts().Markers - before.Markers);
        Assert.Equal(0, _rig.Gaps.Total);
    }

    private int Index(string command) => _rig.Node.Commands.Select((one, index) => (one, index)).Last(pair => pair.one.StartsWith(command, StringComparison.Ordinal)).index;

    private (int Markers, int Looks, int Counts, int Roles) Counts() => (_rig.Count("PUBLISH"), _rig.Count("CONFIG GET"), _rig.Count("INFO commandstats"), _rig.Count("ROLE"));

    /// <summary>Beats one after another, each when all that the one before has asked is answered.</summary>
    private async Task BeatAsync(int beats = 1)
    {
        for (var i = 0; i < beats; i++)
        {
            var before = _rig.Feed.Pulse.Beats;
            _rig.Time.Advance(ScriptedFeed.Beat);
            await Eventually.TrueAsync("the beat", () => _rig.Feed.Pulse is { Waiting: 0 } pulse && pulse.Beats > before);
        }
    }
}
