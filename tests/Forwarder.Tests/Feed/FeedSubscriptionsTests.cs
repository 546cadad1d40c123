using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Which patterns are subscribed to, one change after the other, and what if one is refused? Over a scripted node, in virtual time.</summary>
public sealed class FeedSubscriptionsTests : IAsyncDisposable
{
    private const string All = "__keyevent@*__:*", Expired = "__keyevent@*__:expired", Evicted = "__keyevent@*__:evicted", Fields = "__subkeyevent@*__:*";
    private const string Refused = "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";

    private readonly ScriptedFeed _rig = new(node: new ScriptedNode { Server = ("redis", "8.8.0"), Letters = "Ag$lshzxeKEtmdnocaSTIV" });
    private volatile string[] _refused = [];

    public FeedSubscriptionsTests() => _rig.Node.Answer = command => command[0] == "PSUBSCRIBE" && _refused.Contains(command[1]) ? Refused : null;

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task Where_a_narrow_pattern_is_refused_all_events_are_subscribed_to_and_nobody_need_do_anything()
    {
        _refused = [Expired];
        await _rig.StartAsync(EventClass.Expired | EventClass.Evicted);
        Assert.Equal([All], _rig.Feed.Status.Patterns);
        Assert.Null(_rig.Feed.Status.RemedyText);
        Assert.Contains($"Information 2023 feed redis://node:6379: {Expired} may not be subscribed to; {All} instead ", _rig.Log.Lines);
        Assert.Equal(1, _rig.Count($"PUNSUBSCRIBE {Evicted}"));
        await _rig.Node.SayAsync(ScriptedNode.EventFrame("evicted", "a", Evicted) + ScriptedNode.EventFrame("evicted", "b", All) + ScriptedNode.EventFrame("set", "unwanted", All));
        await _rig.KeysAsync("b");
    }

    [Fact]
    public async Task Where_that_is_refused_too_the_remedy_names_both()
    {
        _refused = [All, Expired, Evicted];
        _rig.Want(EventClass.Expired | EventClass.Evicted);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => _rig.Feed.Status.LastError is not null);
        var remedy = $"PSUBSCRIBE {All} is refused: grant &{All} and +psubscribe to the user, or instead of the former &{Expired} and &{Evicted}";
        Assert.Equal((remedy, $"{remedy} ({Refused[1..^2]})"), (_rig.Feed.Status.RemedyText, _rig.Feed.Status.LastError));
        await Eventually.TrueAsync("the pause", () => _rig.Time.Asked.Contains(new NodeFeedOptions().RefusedBackoff));
        _refused = [];
        await _rig.AnsweredUntilAsync("the subscription", () => _rig.Feed.Status is { IsInStep: true, RemedyText: null });
        Assert.Equal(0, _rig.Gaps.Total);
    }

    [Fact]
    public async Task A_refusal_of_all_events_alone_names_what_to_grant()
    {
        _refused = [All, Fields];
        _rig.Want(EventClass.All | EventClass.Fields);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => _rig.Feed.Status.LastError is not null);
        Assert.Contains($"PSUBSCRIBE {All}", _rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.StartsWith($"PSUBSCRIBE {All} is refused: grant &{All} and +psubscribe to the user (NOPERM", _rig.Feed.Status.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_is_too_busy_to_subscribe_to_is_tried_again_and_nothing_is_refused()
    {
        _rig.Node.Answer = command => command[0] == "PSUBSCRIBE" ? "-BUSY Redis is busy running a script\r\n" : null;
        _rig.Want(EventClass.Expired);
        _rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => _rig.Feed.Status.LastError is not null);
        Assert.Equal("the node does not take subscriptions at the moment: BUSY Redis is busy running a script", _rig.Feed.Status.LastError);
        Assert.Null(_rig.Feed.Status.RemedyText);
        Assert.Equal(0, _rig.Count($"PSUBSCRIBE {All}"));
    }

    [Fact]
    public async Task Fields_that_are_refused_are_tried_again_after_half_a_minute_and_not_before()
    {
        _refused = [Fields];
        await _rig.StartAsync(EventClass.Hash | EventClass.Fields);
        Assert.Equal([All], _rig.Feed.Status.Patterns);
        await _rig.AnsweredAsync(118);
        Assert.Equal(1, _rig.Count($"PSUBSCRIBE {Fields}"));
        await _rig.AnsweredUntilAsync("the next attempt", () => _rig.Count($"PSUBSCRIBE {Fields}") == 2);
        await _rig.AnsweredAsync(8);
        Assert.Equal(2, _rig.Count($"PSUBSCRIBE {Fields}"));
        Assert.StartsWith($"PSUBSCRIBE {Fields} is refused: grant &{Fields} to the user", _rig.Feed.Status.RemedyText, StringComparison.Ordinal);

        _rig.Want(EventClass.Hash);
        await Eventually.TrueAsync("the remedy to be gone", () => _rig.Feed.Status is { IsInStep: true, RemedyText: null });
    }

    [Fact]
    public async Task What_is_wanted_while_a_change_is_under_way_comes_next()
    {
        await using var rig = new ScriptedFeed(options => options with { NotifyMode = NotifyMode.Off }); // so nothing else is asked, and answered before
        await rig.StartAsync(EventClass.Expired);
        rig.Node.Answer = command => command is ["PSUBSCRIBE", Evicted] ? "" : null;
        rig.Want(EventClass.Evicted);
        await Eventually.TrueAsync("the first change", () => rig.Count($"PSUBSCRIBE {Evicted}") == 1);
        rig.Want(EventClass.All);
        rig.Want(EventClass.Expired | EventClass.Evicted);
        Assert.Equal((0, 1), (rig.Count($"PSUBSCRIBE {All}"), rig.Count($"PSUBSCRIBE {Expired}")));
        Assert.Equal([Expired], rig.Feed.Status.Patterns);
        Assert.False(rig.Feed.Status.IsInStep);
        await rig.Node.SayAsync($">3\r\n$10\r\npsubscribe\r\n{ScriptedNode.Bulk(Evicted)}:2\r\n");
        await Eventually.TrueAsync("the second change", () => rig.Feed.Status is { IsInStep: true, Patterns: [Expired, Evicted] });

        Assert.Equal((2, 1, 0), (rig.Count($"PSUBSCRIBE {Expired}"), rig.Count($"PSUBSCRIBE {Evicted}"), rig.Count($"PSUBSCRIBE {All}")));
        Assert.Equal((1, 0, 0), (rig.Count($"PUNSUBSCRIBE {Expired}"), rig.Count($"PUNSUBSCRIBE {Evicted}"), rig.Gaps.Total));
        Assert.Equal(2, rig.Log.Lines.Count(line => line.StartsWith("Information 2010", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_nothing_wanted_all_patterns_are_given_up_and_events_no_longer_count()
    {
        await _rig.StartAsync(EventClass.Expired | EventClass.Evicted);
        _rig.Want(EventClass.None);
        await Eventually.TrueAsync("the change", () => _rig.Feed.Status is { IsInStep: true, Patterns.Count: 0 });
        Assert.Equal(2, _rig.Count("PUNSUBSCRIBE"));
        Assert.Contains($"Information 2010 feed redis://node:6379: the subscription changes from {Expired} {Evicted} to nothing ", _rig.Log.Lines);
        await _rig.Node.EventAsync("a", Expired);
        await _rig.Feed.CatchUpAsync(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (_rig.Feed.Status.Received, _rig.Sink.Entries.Count));
    }
}
