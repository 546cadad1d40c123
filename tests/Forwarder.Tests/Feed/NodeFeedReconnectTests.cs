using KeyEvt.Forwarder.Events;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A subscription was lost: when does the feed connect again? In virtual time, over a scripted node.</summary>
public sealed class NodeFeedReconnectTests : IAsyncDisposable
{
    /// <summary>Other waits of a feed have other lengths.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromMilliseconds(5001), HandshakeTimeout = TimeSpan.FromMilliseconds(5003);

    private readonly ScriptedFeed _rig = new(options => options with { ConnectTimeout = ConnectTimeout, HandshakeTimeout = HandshakeTimeout });

    private IEnumerable<TimeSpan> Pauses => _rig.Time.Asked.Where(time => time != ConnectTimeout && time != HandshakeTimeout && time != ScriptedFeed.Beat);

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task A_subscription_that_is_lost_is_made_again_at_once_however_often()
    {
        await _rig.StartAsync();
        for (var lost = 1; lost <= 20; lost++)
        {
            await _rig.BeatAsync(1);
            await _rig.Node.CloseAsync();
            await Eventually.TrueAsync("the next subscription, without any time going by", () => _rig.Feed.Status is { IsInStep: true, Reconnects: var count } && count == lost);
        }

        Assert.Empty(Pauses);
        Assert.Equal(20, _rig.Gaps.Total);
        Assert.All(_rig.Gaps.Recent, gap => Assert.True(gap.Duration <= ScriptedFeed.Beat));
    }

    [Fact]
    public async Task A_node_that_cuts_every_subscription_off_at_once_is_asked_with_growing_pauses()
    {
        _rig.Want(EventClass.All);
        _rig.Feed.Start();
        for (var cut = 1; cut <= 10; cut++)
        {
            await Eventually.TrueAsync("the subscription", () => _rig.Feed.Status.IsInStep);
            await _rig.Node.CloseAsync();
            await Eventually.TrueAsync("the pause", () => Pauses.Count() == cut);
            _rig.Time.Advance(Pauses.Last());
        }

        Assert.True(Pauses.Last() >= TimeSpan.FromSeconds(2), $"the last pause was {Pauses.Last()}");
    }

    [Fact]
    public async Task An_attempt_that_nobody_answered_for_long_was_pause_enough()
    {
        _rig.Node.Answer = command => _rig.Node.Connects < 12 && command[0] == "HELLO" ? "" : null;
        _rig.Want(EventClass.All);
        _rig.Feed.Start();
        for (var attempt = 1; attempt < 12; attempt++)
        {
            await Eventually.TrueAsync("the attempt", () => _rig.Node.Connects == attempt && _rig.Time.Asked.Count(time => time == HandshakeTimeout) == attempt);
            _rig.Time.Advance(HandshakeTimeout);
        }

        await Eventually.TrueAsync("the subscription", () => _rig.Feed.Status.IsInStep);
        Assert.Empty(Pauses);
    }
}
