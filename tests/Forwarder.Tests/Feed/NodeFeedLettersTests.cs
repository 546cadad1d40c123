using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is what a server has set and listened to, whatever else is wanted that it lacks, and is that said? Over scripted nodes, in virtual time.</summary>
public sealed class NodeFeedLettersTests
{
    private const string OldWords = "-ERR Invalid argument '' for CONFIG SET 'notify-keyspace-events'\r\n";

    private const EventClass Default = EventClass.Expired | EventClass.Evicted;

    [Theory]
    [InlineData("redis", "7.0.15", "Ag$lshzxeKEtmdn", null, EventClass.Overwritten, "xeE", "o")]
    [InlineData("redis", "8.0.6", "Ag$lshzxeKEtmdn", null, EventClass.Overwritten | EventClass.TypeChanged | EventClass.New, "xeEn", "oc")]
    [InlineData("redis", "8.2.1", "Ag$lshzxeKEtmdnoc", null, EventClass.Overwritten | EventClass.Array, "xeEo", "a")]
    [InlineData("redis", "8.8.0", "Ag$lshzxeKEtmdnocaSTIV", null, EventClass.Overwritten | EventClass.Array | EventClass.Fields, "xeEoaT", "")]
    [InlineData("redis", "6.0.16", "Ag$lshzxeKEtm", OldWords, EventClass.New | EventClass.KeyMiss, "xeEm", "n")]
    [InlineData("redis", "7.4.0", "Ag$lshzxeKEtm", OldWords, EventClass.New | EventClass.KeyMiss, "xeEm", "n")] // it says more than it takes
    [InlineData("redis", "8.6.0", "Ag$lshzxeKEtmdnocaSTIV", null, EventClass.Array | EventClass.Fields, "xeEaT", "")] // and less
    [InlineData("valkey", "9.1.2", "Ag$lshzxeKEtmdn", null, EventClass.Overwritten | EventClass.New, "xeEn", "o")]
    public async Task What_the_server_has_is_set_and_what_it_lacks_is_said(string product, string version, string letters, string? words, EventClass more, string set, string lacking)
    {
        var node = new ScriptedNode { Server = (product, version), Letters = letters, Flags = "" };
        if (words is not null) node = new ScriptedNode { Server = (product, version), Letters = letters, Flags = "", Refusal = words };
        await using var rig = new ScriptedFeed(node: node);
        await rig.StartAsync(Default | more);

        Assert.Equal(Sorted(set), Sorted(node.Flags));
        Assert.Equal(lacking, rig.Feed.Status.LackingFlags);
        Assert.Equal(lacking.Length > 0, rig.Feed.Status.RemedyText?.Contains($"has no event flags '{lacking}'", StringComparison.Ordinal) == true);
        Assert.Null(rig.Feed.Status.FlagsFault);
        Assert.Equal(lacking.Length > 0 ? 1 : 0, rig.Log.Lines.Count(line => line.StartsWith("Warning 2008", StringComparison.Ordinal)));
        await rig.Node.SayAsync(ScriptedNode.EventFrame("expired", "a", rig.Feed.Status.Patterns[0]));
        await rig.KeysAsync("a");
        var sets = rig.Count("CONFIG SET");
        await rig.BeatAsync(8);
        Assert.Equal((sets, 0), (rig.Count("CONFIG SET"), rig.Gaps.Total));
    }

    [Fact]
    public async Task A_server_that_has_nothing_of_what_is_wanted_is_a_fault_until_something_else_is_wanted_at_once()
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Flags = "" });
        rig.Want(EventClass.Overwritten);
        rig.Feed.Start();
        await Eventually.TrueAsync("the fault", () => rig.Feed.Status is { IsInStep: true, FlagsFault: not null });
        Assert.Equal("Redis 7.0.0 has no event flags 'o': none of the wanted events exist there", rig.Feed.Status.FlagsFault);
        Assert.Equal(0, rig.Gaps.Total);

        rig.Want(Default);
        await Eventually.TrueAsync("what is wanted now", () => rig.Feed.Status is { IsInStep: true, FlagsFault: null, LackingFlags: "", RemedyText: null });
        Assert.Equal("xeE", rig.Node.Flags); // not a beat has passed
    }

    [Fact]
    public async Task A_refusal_for_rights_is_tried_again_at_once_when_something_else_is_wanted()
    {
        var isRefused = true;
        var node = new ScriptedNode
        {
            Flags = "",
            Answer = command => isRefused && command is ["CONFIG", "SET", ..] ? "-NOPERM this user has no permissions\r\n" : null
        };
        await using var rig = new ScriptedFeed(node: node);
        rig.Want(Default);
        rig.Feed.Start();
        await Eventually.TrueAsync("the fault", () => rig.Feed.Status is { IsInStep: true, FlagsFault: not null });
        await rig.BeatUntilAsync("the gap", () => rig.Gaps.Open == 1);
        Assert.StartsWith("notify-keyspace-events is ''", rig.Feed.Status.FlagsFault, StringComparison.Ordinal);
        Assert.Contains("CONFIG SET is refused", rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Equal(1, rig.Count("CONFIG SET"));
        isRefused = false;

        rig.Want(EventClass.Expired);
        await Eventually.TrueAsync("the flags", () => rig.Feed.Status is { IsInStep: true, FlagsFault: null });
        Assert.Equal(("xE", 0), (node.Flags, rig.Gaps.Open));
    }

    [Fact]
    public async Task Where_nothing_may_be_set_the_version_says_what_the_server_lacks_and_that_is_no_gap()
    {
        await using var rig = new ScriptedFeed(options => options with { NotifyMode = NotifyMode.Verify }, new ScriptedNode { Flags = "xeE" });
        await rig.StartAsync(Default | EventClass.Overwritten);
        Assert.Equal(("o", 0), (rig.Feed.Status.LackingFlags, rig.Gaps.Total));
        Assert.Null(rig.Feed.Status.FlagsFault);
        Assert.Equal(0, rig.Count("CONFIG SET"));

        rig.Node.Flags = "xE";
        await rig.BeatUntilAsync("the gap", () => rig.Gaps.Open == 1);
        Assert.Contains("set it to 'xEe'", rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Contains("lacks what is needed", rig.Feed.Status.FlagsFault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis", "7.0.15", EventClass.Hash)]
    [InlineData("valkey", "9.1.2", EventClass.Hash | EventClass.Expired)]
    public async Task An_events_class_is_the_servers_and_follows_an_upgrade(string product, string version, EventClass first)
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = (product, version), Letters = "Ag$lshzxeKEtmdnocaSTIV" });
        await rig.StartAsync();
        await rig.Node.SayAsync(ScriptedNode.EventFrame("hexpired", "h") + ScriptedNode.EventFrame("arset", "a"));
        await Eventually.TrueAsync("the events", () => rig.Sink.Entries.Count == 2);
        rig.Node.Server = ("redis", "8.8.0");
        await rig.Node.CloseAsync();
        await rig.BeatUntilAsync("the next connection", () => rig.Node.Connects == 2 && rig.Feed.Status.IsInStep);
        await rig.Node.SayAsync(ScriptedNode.EventFrame("hexpired", "h") + ScriptedNode.EventFrame("arset", "a"));
        await Eventually.TrueAsync("the events", () => rig.Sink.Entries.Count == 4);

        Assert.Equal([first, EventClass.Module, EventClass.Hash, EventClass.Array], rig.Sink.Entries.Select(entry => entry.Class));
    }

    [Fact]
    public async Task Expired_fields_of_Valkey_come_with_expired_keys()
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = ("valkey", "9.1.2"), Flags = "" });
        await rig.StartAsync(EventClass.Expired);
        Assert.Equal(["__keyevent@*__:expired", "__keyevent@*__:hexpired"], rig.Feed.Status.Patterns);
        await rig.Node.SayAsync(ScriptedNode.EventFrame("hexpired", "h", "__keyevent@*__:hexpired"));
        await rig.KeysAsync("h");
    }

    [Theory]
    [InlineData("hE", EventClass.Hash, EventClass.Hash)]
    [InlineData("xE", EventClass.Expired, EventClass.Expired)]
    [InlineData("hxE", EventClass.Expired, EventClass.Hash | EventClass.Expired)]
    public async Task Where_one_letter_is_on_that_a_name_may_stand_for_it_stands_for_that(string flags, EventClass wanted, EventClass expected)
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = ("valkey", "9.1.2"), Flags = flags });
        await rig.StartAsync(wanted);
        await rig.Node.SayAsync(ScriptedNode.EventFrame("hexpired", "h", rig.Feed.Status.Patterns[^1]));
        await rig.KeysAsync("h");
        Assert.Equal(expected, rig.Sink.Entries[0].Class);
    }

    [Fact]
    public async Task Where_the_narrow_pattern_is_refused_all_are_subscribed_to()
    {
        var node = new ScriptedNode { Answer = command => command is ["PSUBSCRIBE", "__keyevent@*__:expired"] ? "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n" : null };
        await using var rig = new ScriptedFeed(node: node);
        await rig.StartAsync(Default);
        Assert.Equal(["__keyevent@*__:*"], rig.Feed.Status.Patterns);
        Assert.Null(rig.Feed.Status.RemedyText);
        await rig.Node.SayAsync(ScriptedNode.EventFrame("evicted", "a", "__keyevent@*__:evicted") + ScriptedNode.EventFrame("evicted", "a"));
        await rig.KeysAsync("a");
    }

    [Fact]
    public async Task What_is_no_notification_is_counted_and_said_once()
    {
        await using var rig = new ScriptedFeed();
        await rig.StartAsync();
        for (var i = 0; i < 10; i++) await rig.Node.SayAsync(ScriptedNode.EventFrame("set\u001b[2J", "evil"));
        await rig.Node.EventAsync("good");
        await rig.KeysAsync("good");

        Assert.Equal((1, 10), (rig.Feed.Status.Received, rig.Feed.Status.Refused));
        Assert.Single(rig.Log.Lines, line => line.StartsWith("Warning 2022", StringComparison.Ordinal));
        Assert.Equal(1, rig.Node.Connects);
    }

    private static string Sorted(string letters) => string.Concat(letters.Order());
}
