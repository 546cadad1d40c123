using KeyEvt.Forwarder.Events;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>
/// Does an event of a hash come once, with its fields, in its place? Over a scripted node that speaks as Redis 8.8's sources do (notify.c): keyevent, then subkeyevent. In virtual time.
/// </summary>
public sealed class NodeFeedFieldsTests : IAsyncDisposable
{
    private const EventClass Wanted = EventClass.Hash | EventClass.Generic | EventClass.Fields;

    private readonly ScriptedFeed _rig = new(node: new ScriptedNode { Server = ("redis", "8.8.0"), Letters = "Ag$lshzxeKEtmdnocaSTIV", Flags = "" });

    private ScriptedNode Node => _rig.Node;

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task The_letters_are_set_and_both_channels_listened_to()
    {
        await _rig.StartAsync(Wanted);
        Assert.Equal("ghTE", Node.Flags);
        Assert.Equal(["__keyevent@*__:*", "__subkeyevent@*__:*"], _rig.Feed.Status.Patterns);
        Assert.Null(_rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task Keyevent_and_subkeyevent_are_one_event_with_its_fields()
    {
        await _rig.StartAsync(Wanted);
        await Node.SayAsync(Both("hset", "h", "1:a,2:bc") + Both("hdel", "h", "1:a") + ScriptedNode.EventFrame("del", "h"));
        await EventsAsync("hset h 1:a,2:bc", "hdel h 1:a", "del h ");
        Assert.Equal([1, 2, 3], _rig.Sink.Entries.Select(entry => entry.Position.Count));
        Assert.Equal(3, _rig.Feed.Status.Received);
    }

    [Fact]
    public async Task Whatever_else_comes_lets_the_event_go_as_it_is()
    {
        await _rig.StartAsync(Wanted);
        await Node.SayAsync(
            ScriptedNode.EventFrame("hset", "h") + ScriptedNode.EventFrame("hset", "h") + ScriptedNode.FieldsFrame("hset", "h", "1:a") // the first without fields
            + ScriptedNode.EventFrame("hset", "h") + ScriptedNode.FieldsFrame("hset", "other", "1:b")
            + ScriptedNode.EventFrame("hset", "h") + ScriptedNode.FieldsFrame("hdel", "h", "1:c")
            + ScriptedNode.EventFrame("hset", "h", database: 1) + ScriptedNode.FieldsFrame("hset", "h", "1:d"));
        await EventsAsync("hset h ", "hset h 1:a", "hset h ", "hset other 1:b", "hset h ", "hdel h 1:c", "hset h ", "hset h 1:d");
        Assert.Equal(1, _rig.Sink.Entries[6].Database);
    }

    [Fact]
    public async Task The_last_event_of_a_read_waits_for_an_answer_behind_it_and_not_for_the_next_event()
    {
        await _rig.StartAsync(Wanted);
        await Node.SayAsync(ScriptedNode.EventFrame("hset", "alone"));
        await EventsAsync("hset alone ");

        var both = Both("hset", "h", "1:a,2:bc");
        Node.Answer = command => command[0] == "PING" ? "" : null;
        for (var cut = 1; cut < both.Length; cut++)
        {
            await Node.SayAsync(both[..cut]);
            await Node.SayAsync(both[cut..]);
        }

        await Eventually.TrueAsync("all", () => _rig.Sink.Entries.Count == both.Length);
        Assert.All(_rig.Sink.Entries.Skip(1), entry => Assert.Equal("1:a,2:bc", entry.Fields));
    }

    [Fact]
    public async Task A_marker_between_two_events_keeps_its_place()
    {
        await _rig.StartAsync(Wanted);
        Node.Answer = command => command[0] switch
        {
            "PING" => "",
            "PUBLISH" => ScriptedNode.EventFrame("hset", "before") + $">3\r\n$7\r\nmessage\r\n{ScriptedNode.Bulk(command[1])}{ScriptedNode.Bulk(command[2])}:1\r\n",
            _ => null,
        };
        var marker = _rig.Feed.Status.Position.Marker;
        await _rig.BeatAsync(1);
        await _rig.SeenAsync();
        await Node.SayAsync(Both("hset", "after", "1:a"));
        await EventsAsync("hset before ", "hset after 1:a");
        Assert.Equal((marker, 1), (_rig.Sink.Entries[0].Position.Marker, _rig.Sink.Entries[0].Position.Count));
        Assert.True(_rig.Sink.Entries[1].Position.Marker > marker);
    }

    [Fact]
    public async Task The_end_of_the_connection_loses_none()
    {
        await _rig.StartAsync(Wanted);
        Node.Answer = command => command[0] == "PING" ? "" : null;
        await Node.SayAsync(ScriptedNode.EventFrame("hset", "last"));
        await Node.CloseAsync();
        await EventsAsync("hset last ");
        Assert.True(_rig.Sink.Batches > 0);
    }

    [Fact]
    public async Task Behind_Sentinel_an_event_that_waits_to_be_confirmed_keeps_its_fields()
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = true }, new ScriptedNode { Server = ("redis", "8.8.0"), Letters = "Ag$lshzxeKEtmdnocaSTIV" });
        await rig.StartAsync(Wanted);
        await rig.Node.SayAsync(Both("hset", "h", "1:a"));
        await Eventually.TrueAsync("the event", () => rig.Sink.Entries is [{ Fields: "1:a" }]);
    }

    [Fact]
    public async Task Where_the_user_may_not_listen_to_fields_events_come_without_until_he_may()
    {
        var isRefused = true;
        Node.Answer = command => isRefused && command is ["PSUBSCRIBE", "__subkeyevent@*__:*"] ? "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n" : null;
        await _rig.StartAsync(Wanted);
        Assert.Equal("PSUBSCRIBE __subkeyevent@*__:* is refused: grant &__subkeyevent@*__:* to the user; until then events come without the fields of hashes", _rig.Feed.Status.RemedyText);
        await Node.SayAsync(ScriptedNode.EventFrame("hset", "h"));
        await EventsAsync("hset h ");

        isRefused = false;
        await _rig.BeatUntilAsync("the subscription", () => _rig.Feed.Status is { Patterns.Count: 2, RemedyText: null });
        await Node.SayAsync(Both("hset", "h", "1:a"));
        await EventsAsync("hset h ", "hset h 1:a");
        Assert.Equal((0, 1), (_rig.Gaps.Total, Node.Connects));
    }

    [Fact]
    public async Task The_letter_T_taken_away_alone_is_set_again_and_no_gap()
    {
        await _rig.StartAsync(Wanted);
        Node.Flags = "ghE";
        await _rig.BeatUntilAsync("the letter", () => Node.Flags == "ghET");
        Assert.Equal(0, _rig.Gaps.Total);
    }

    [Fact]
    public async Task A_server_that_has_no_fields_gives_all_else_and_it_is_said()
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = ("valkey", "9.1.2"), Flags = "" });
        await rig.StartAsync(Wanted);
        Assert.Equal(("ghE", "T"), (rig.Node.Flags, rig.Feed.Status.LackingFlags));
        Assert.Equal("Valkey 9.1.2 has no event flags 'T': events come without the fields of hashes", rig.Feed.Status.RemedyText);
        Assert.Equal(["__keyevent@*__:*"], rig.Feed.Status.Patterns);
        await rig.Node.SayAsync(ScriptedNode.EventFrame("hset", "h"));
        await Eventually.TrueAsync("the event", () => rig.Sink.Entries.Count == 1);
    }

    [Fact]
    public async Task Fields_that_are_no_longer_wanted_do_not_come()
    {
        await _rig.StartAsync(Wanted);
        _rig.Want(Wanted & ~EventClass.Fields);
        await Eventually.TrueAsync("the subscription", () => _rig.Feed.Status is { IsInStep: true, Patterns.Count: 1 });
        await Node.SayAsync(ScriptedNode.EventFrame("hset", "h") + ScriptedNode.FieldsFrame("hset", "h", "1:a"));
        await EventsAsync("hset h ");
        await Node.SayAsync(ScriptedNode.EventFrame("del", "h"));
        await EventsAsync("hset h ", "del h ");
    }

    private static string Both(string name, string key, string list) => ScriptedNode.EventFrame(name, key) + ScriptedNode.FieldsFrame(name, key, list);

    private Task EventsAsync(params string[] events) => Eventually.ValueAsync(
        "the events",
        () => Task.FromResult(string.Join('|', _rig.Sink.Entries.Select(entry => $"{entry.Event} {entry.Key} {entry.Fields}"))),
        seen => seen == string.Join('|', events));
}
