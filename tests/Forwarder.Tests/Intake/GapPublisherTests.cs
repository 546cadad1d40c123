using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Tests.Delivery;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Intake;

/// <summary>Which member of a group publishes a gap, and what if it is not known yet who holds the stream?</summary>
public sealed class GapPublisherTests
{
    private readonly DeliveryRig _rig = new();
    private readonly CheckpointRegistry _shelf = new("state", "g");
    private readonly GapPublisher _publisher;
    private bool? _isHolder;

    public GapPublisherTests() => _publisher = new GapPublisher(_rig.Ledger, _rig.Loop, "me", _ => _isHolder, _shelf, _rig.Time);

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void The_holder_publishes_it_and_no_other_member(bool isHolder, int published)
    {
        _isHolder = isHolder;
        _publisher.Publish(Gap());
        Assert.Equal((published, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 0)]
    public void While_nobody_is_known_to_hold_the_stream_it_waits_and_nothing_is_kept_meanwhile(bool isHolder, int published)
    {
        _publisher.Publish(Gap());
        _publisher.Publish(Gap());
        _rig.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((0, 2), (_rig.Loop.Memory.Count, _shelf.Doubts));

        _isHolder = isHolder;
        _rig.Time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal((published, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
    }

    [Theory]
    [InlineData(4.8, 1)]
    [InlineData(5.2, 0)]
    public void Who_becomes_the_holder_soon_after_it_publishes_what_the_one_before_may_not_have_noticed(double after, int published)
    {
        _isHolder = false;
        _publisher.Publish(Gap());
        _rig.Time.Advance(TimeSpan.FromSeconds(after));
        Assert.Equal((0, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
        _isHolder = true;
        _rig.Time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal((published, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
    }

    [Fact]
    public void What_another_member_is_to_publish_is_not_published_at_the_end()
    {
        _isHolder = false;
        _publisher.Publish(Gap());
        _publisher.Flush();
        Assert.Equal((0, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
    }

    [Fact]
    public void What_waits_is_published_at_the_end()
    {
        _publisher.Publish(Gap());
        _publisher.Flush();
        Assert.Equal((1, 0), (_rig.Loop.Memory.Count, _shelf.Doubts));
    }

    [Fact]
    public void A_time_in_which_nobody_ran_is_published_by_whoever_declares_it()
    {
        _isHolder = false;
        _publisher.Publish(Gap(GapCause.NotRunning));
        Assert.Equal(1, _rig.Loop.Memory.Count);
    }

    private static Gap Gap(GapCause cause = GapCause.ConnectionLost) => new()
    {
        Node = "redis://n",
        Cause = cause,
        Detail = "d",
        From = DateTimeOffset.UnixEpoch,
        To = DateTimeOffset.UnixEpoch,
        LastPosition = default,
        FirstPosition = default(EventPosition),
    };
}
