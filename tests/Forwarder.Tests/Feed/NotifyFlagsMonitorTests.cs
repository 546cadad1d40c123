using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>When are flags looked at, set, asked for again, and doubted? Over a scripted node, in virtual time.</summary>
public sealed class NotifyFlagsMonitorTests
{
    private const string Refused = "-NOPERM this user has no permissions\r\n";
    private const string Twice = "others gave CONFIG SET at least twice between two looks at notify-keyspace-events: it may have been changed and changed back";

    private readonly ScriptedNode _node = new();
    private Func<string[], string?> _answer = _ => null;
    private int _sets;

    public NotifyFlagsMonitorTests() => _node.Answer = command => _answer(command) ?? (command is ["INFO", "commandstats"] ? Counts() : null);

    [Fact]
    public async Task Two_sets_between_two_looks_make_a_gap_from_the_last_good_look_to_the_next_clean_one()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 4);
        var (good, position) = (rig.Time.GetUtcNow(), rig.Feed.Status.Position);
        _sets += 2;
        await LookAsync(rig);
        Assert.Equal(0, rig.Gaps.Total);
        await LookAsync(rig);

        var gap = Assert.Single(rig.Gaps.Recent);
        Assert.Equal((GapCause.FlagsMissing, Twice, good), (gap.Cause, gap.Detail, gap.From));
        Assert.True(gap.LastPosition.Marker <= position.Marker);
        Assert.Equal(2 * ScriptedFeed.Beat, gap.Duration);
        await LookAsync(rig, 4);
        Assert.Equal(1, rig.Gaps.Total);
    }

    [Fact]
    public async Task What_others_take_away_while_letters_are_added_is_missed_from_the_look_before()
    {
        _node.Flags = "$E";
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.String);
        await LookAsync(rig, 2);
        var good = rig.Time.GetUtcNow();
        _answer = command =>
        {
            if (command is ["CONFIG", "SET", ..]) _sets++; // another's comes just before
            return null;
        };
        rig.Want(EventClass.String | EventClass.Hash);
        await Eventually.TrueAsync("the letters", () => rig.Feed.Status.IsInStep && rig.Feed.Pulse.Waiting == 0);
        await LookAsync(rig, 2);
        var gap = Assert.Single(rig.Gaps.Recent);
        Assert.Equal((GapCause.FlagsMissing, good), (gap.Cause, gap.From));
    }

    [Fact]
    public async Task Where_others_give_CONFIG_SET_all_the_time_the_doubt_is_declared_after_ten_seconds()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 2);
        for (var look = 1; look <= 40; look++)
        {
            _sets += 2;
            await LookAsync(rig);
        }

        Assert.Equal(0, rig.Gaps.Total); // it is ten seconds old, and not older
        _sets += 2;
        await LookAsync(rig);
        Assert.Equal(TimeSpan.FromSeconds(10.25), Assert.Single(rig.Gaps.Recent).Duration);
    }

    [Fact]
    public async Task A_doubt_that_is_open_when_the_connection_ends_is_part_of_what_was_missed()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 2);
        var good = rig.Time.GetUtcNow();
        _sets += 2;
        await LookAsync(rig);
        await _node.CloseAsync();
        await rig.AnsweredUntilAsync("the next subscription", () => _node.Connects == 2 && rig.Feed.Status.IsInStep && rig.Gaps is { Total: > 0, Open: 0 });
        Assert.Equal(good, rig.Gaps.Recent.Min(gap => gap.From));
        Assert.Contains(rig.Gaps.Recent, gap => gap.Detail.Contains(Twice, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Statistics_that_were_reset_are_doubted_and_those_that_are_refused_are_not()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 2);
        _answer = command => command is ["INFO", "commandstats"] ? ScriptedNode.Bulk("cmdstat_config|get:calls=1,usec=1,failed_calls=0\r\n") : null;
        await LookAsync(rig);
        _answer = _ => null;
        await LookAsync(rig);
        Assert.Contains("the command statistics were reset", Assert.Single(rig.Gaps.Recent).Detail, StringComparison.Ordinal);

        _answer = command => command is ["INFO", "commandstats"] ? Refused : null;
        _sets += 5;
        await LookAsync(rig, 4);
        Assert.Equal(1, rig.Gaps.Total);
    }

    [Fact]
    public async Task What_others_set_behind_a_busy_time_is_doubted_as_without_it()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 4);
        _answer = command => command[0] is "INFO" or "CONFIG" ? "-BUSY Redis is busy running a script.\r\n" : null;
        await rig.AnsweredAsync(4);
        _answer = _ => null;
        _sets += 2;
        await LookAsync(rig, 2);
        Assert.Equal(Twice, Assert.Single(rig.Gaps.Recent).Detail);
    }

    [Fact]
    public async Task What_was_not_wanted_when_others_set_flags_is_not_doubted()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.Expired);
        await rig.AnsweredAsync(4);
        _sets += 2;
        rig.Want(EventClass.Evicted);
        await Eventually.TrueAsync("the answers", () => rig.Feed.Status.IsInStep && rig.Feed.Pulse.Waiting == 0);
        await rig.AnsweredAsync(3);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task A_replica_is_not_doubted()
    {
        _answer = command => command[0] == "ROLE" ? "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n" : null;
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 2);
        _sets += 2;
        await LookAsync(rig, 3);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task What_was_set_at_the_beginning_is_shown_before_the_next_look()
    {
        _node.Flags = "";
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        Assert.Equal(("AE", 1), (rig.Feed.Status.NotifyFlags, rig.Count("CONFIG GET notify-keyspace-events")));
    }

    [Fact]
    public async Task Flags_that_are_found_missing_are_one_gap_however_often_they_were_set()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        await LookAsync(rig, 2);
        var good = rig.Time.GetUtcNow();
        _sets += 2;
        _node.Flags = "";
        await LookAsync(rig, 3);
        var gap = Assert.Single(rig.Gaps.Recent);
        Assert.Equal((GapCause.FlagsMissing, good, false), (gap.Cause, gap.From, gap.IsOpen));
        Assert.Equal("notify-keyspace-events is '' and lacks what is needed for 'AE'", gap.Detail);
        Assert.Equal("AE", _node.Flags);
        Assert.Equal("AE", rig.Feed.Status.NotifyFlags);
        Assert.Contains("Information 2004 feed redis://node:6379: notify-keyspace-events was '', set to 'AE' ", rig.Log.Lines);
    }

    [Fact]
    public async Task Flags_that_are_missing_at_the_second_look_are_missed_from_the_beginning_of_the_stream()
    {
        await using var rig = new ScriptedFeed(node: _node);
        var good = rig.Time.GetUtcNow();
        await rig.StartAsync();
        _node.Flags = "";
        await rig.AnsweredUntilAsync("the gap", () => rig.Gaps.Total == 1);
        var gap = rig.Gaps.Recent[0];
        Assert.Equal((GapCause.FlagsMissing, good), (gap.Cause, gap.From));
        Assert.Equal((rig.Feed.Status.Position.RunId, 0), (gap.LastPosition.RunId, gap.LastPosition.Count));
        Assert.InRange(gap.LastPosition.Marker, 1, rig.Feed.Status.Position.Marker - 1);
    }

    [Fact]
    public async Task Where_CONFIG_GET_is_refused_the_flags_are_trusted_and_asked_for_again_after_half_a_minute()
    {
        var isRefused = true;
        _answer = command => isRefused && command is ["CONFIG", "GET", ..] ? Refused : null;
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        Assert.Equal(
            "CONFIG GET is refused: set notify-keyspace-events to include 'EA' in the server's configuration or parameter group, or grant +config|get +config|set",
            rig.Feed.Status.RemedyText);
        Assert.Null(rig.Feed.Status.NotifyFlags);
        await rig.AnsweredAsync(118);
        Assert.Equal((1, 0), (rig.Count("CONFIG GET"), rig.Gaps.Total));
        isRefused = false;
        await rig.AnsweredUntilAsync("the remedy to be gone", () => rig.Feed.Status is { RemedyText: null, NotifyFlags: "AKE" });
        var looks = rig.Count("CONFIG GET");
        await LookAsync(rig, 4);
        Assert.Equal(looks + 4, rig.Count("CONFIG GET"));
    }

    [Fact]
    public async Task Where_CONFIG_SET_is_refused_it_is_tried_again_after_half_a_minute()
    {
        _node.Flags = "";
        var isRefused = true;
        _answer = command => isRefused && command is ["CONFIG", "SET", ..] ? Refused : null;
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync();
        Assert.Equal("notify-keyspace-events is '' and cannot be set", rig.Feed.Status.FlagsFault);
        Assert.StartsWith("CONFIG SET is refused (NOPERM this user has no permissions), and notify-keyspace-events is '': set notify-keyspace-events to include 'EA'", rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        await LookAsync(rig, 118);
        Assert.Equal((1, 1), (rig.Count("CONFIG SET"), rig.Gaps.Open));
        await LookAsync(rig, 2);
        Assert.Equal(2, rig.Count("CONFIG SET")); // thirty seconds to the moment
        isRefused = false;
        await rig.AnsweredUntilAsync("the flags", () => rig.Feed.Status is { RemedyText: null, FlagsFault: null });
        Assert.Equal((3, 0), (rig.Count("CONFIG SET"), rig.Gaps.Open));
    }

    [Fact]
    public async Task What_was_refused_is_tried_at_once_after_something_else_was_set()
    {
        _node.Flags = "";
        var isRefused = true;
        _answer = command => isRefused && command is ["CONFIG", "SET", ..] ? Refused : null;
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.Expired);
        isRefused = false;
        rig.Want(EventClass.Evicted);
        await Eventually.TrueAsync("the other letter", () => rig.Feed.Status is { IsInStep: true, FlagsFault: null });
        rig.Want(EventClass.Expired);
        await Eventually.TrueAsync("the letter that was refused", () => rig.Feed.Status is { IsInStep: true, FlagsFault: null } && _node.Flags == "eEx"); // not a beat has passed
    }

    [Fact]
    public async Task A_node_that_is_too_busy_to_tell_is_asked_again_and_before_the_subscription_it_is_not_ready()
    {
        const string Busy = "-BUSY Redis is busy running a script\r\n";
        var isBusy = true;
        _answer = command => isBusy && command is ["CONFIG", "GET", ..] ? Busy : null;
        await using var rig = new ScriptedFeed(node: _node);
        rig.Want(EventClass.All);
        rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError is not null);
        Assert.Equal("the node does not tell its configuration yet: BUSY Redis is busy running a script", rig.Feed.Status.LastError);
        isBusy = false;
        await rig.AnsweredUntilAsync("the subscription", () => rig.Feed.Status.IsInStep && rig.Feed.Status.MarkersSeen > 0);

        isBusy = true;
        var (connects, looks) = (_node.Connects, rig.Count("CONFIG GET"));
        await LookAsync(rig, 4);
        Assert.Equal((looks + 4, connects, 0), (rig.Count("CONFIG GET"), _node.Connects, rig.Gaps.Total));
        isBusy = false;
        _node.Flags = "";
        _answer = command => isBusy && command is ["CONFIG", "SET", ..] ? Busy : null;
        isBusy = true;
        await LookAsync(rig, 2);
        Assert.Equal("", _node.Flags);
        isBusy = false;
        await LookAsync(rig, 2);
        Assert.Equal(("AE", 0), (_node.Flags, rig.Gaps.Open));
    }

    [Fact]
    public async Task Letters_that_are_newly_wanted_were_not_missed_before()
    {
        _node.Flags = "Ex";
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.Expired);
        await rig.AnsweredAsync(4);
        rig.Want(EventClass.Expired | EventClass.Evicted);
        await rig.AnsweredUntilAsync("the other letter", () => rig.Feed.Status.IsInStep && _node.Flags.Contains('e', StringComparison.Ordinal));
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task While_a_look_is_not_answered_there_is_no_second_one()
    {
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.String);
        await rig.AnsweredAsync(2);
        var before = rig.Count("CONFIG GET");
        _node.Hold();
        rig.Want(EventClass.Expired);
        for (var beats = rig.Feed.Pulse.Beats; rig.Feed.Pulse.Beats < beats + 3;)
        {
            var seen = rig.Feed.Pulse.Beats;
            rig.Time.Advance(ScriptedFeed.Beat);
            await Eventually.TrueAsync("the beat", () => rig.Feed.Pulse.Beats > seen);
        }

        _node.Release();

        await Eventually.TrueAsync("the answers", () => rig.Feed.Pulse.Waiting == 0 && rig.Feed.Status.IsInStep);
        Assert.Equal(before + 1, rig.Count("CONFIG GET"));
    }

    [Fact]
    public async Task Where_nothing_may_be_asked_nothing_is()
    {
        await using var rig = new ScriptedFeed(options => options with { NotifyMode = NotifyMode.Off }, _node);
        await rig.StartAsync();
        rig.Want(EventClass.Expired);
        await rig.AnsweredUntilAsync("the other subscription", () => rig.Feed.Status is { IsInStep: true, Patterns: ["__keyevent@*__:expired"] });
        Assert.Equal(0, rig.Count("CONFIG") + rig.Count("INFO commandstats"));
    }

    [Fact]
    public async Task A_letter_that_may_hide_behind_A_is_written_once_and_the_doubt_is_said()
    {
        _node.Flags = "AE";
        await using var rig = new ScriptedFeed(node: _node);
        await rig.StartAsync(EventClass.All | EventClass.New);
        Assert.Equal((1, "AEn"), (rig.Count("CONFIG SET"), _node.Flags));
        Assert.Single(rig.Log.Lines, line => line.StartsWith("Warning 2005", StringComparison.Ordinal));
        _node.Flags = "AE"; // as a server prints it
        await LookAsync(rig, 4);
        Assert.Equal((1, 0), (rig.Count("CONFIG SET"), rig.Gaps.Total));
    }

    private string Counts() => ScriptedNode.Bulk(
        $"cmdstat_config|get:calls={10 + _node.Commands.Count(one => one.StartsWith("CONFIG GET", StringComparison.Ordinal))},usec=1,failed_calls=0\r\n"
        + $"cmdstat_config|set:calls={_sets + _node.Commands.Count(one => one.StartsWith("CONFIG SET", StringComparison.Ordinal))},usec=1,failed_calls=0\r\n");

    /// <summary>Beats one after another, each with an event before it, so that the flags are looked at each time.</summary>
    private async Task LookAsync(ScriptedFeed rig, int looks = 1)
    {
        for (var i = 0; i < looks; i++)
        {
            var received = rig.Feed.Status.Received;
            await _node.EventAsync("a");
            await Eventually.TrueAsync("the event", () => rig.Feed.Status.Received > received);
            var beats = rig.Feed.Pulse.Beats;
            rig.Time.Advance(ScriptedFeed.Beat);
            await Eventually.TrueAsync("the beat", () => rig.Feed.Pulse is { Waiting: 0 } pulse && pulse.Beats > beats);
        }
    }
}
