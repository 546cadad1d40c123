using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>What has a member kept that had no seat, or has just taken one, when nobody else is there any more?</summary>
public sealed class StreamSeatTests
{
    private static readonly MessageId ByH = new("h", 20);

    private readonly HandoverRig _rig = new();

    private StreamMember Me => _rig.Member;

    [Fact]
    public void Who_finds_nobody_after_a_time_without_a_seat_misses_what_was_not_settled_by_then()
    {
        _rig.Join(settled: At(25));
        _rig.Join(settled: At(26)); // in step once, and again
        Me.Hear(false);
        _rig.Read(Holding("h", 35, ByH, settled: At(34), reach: At(10)));
        BeginAnew();
        Assert.Equal((At(34), At(79), false), (Me.Missing!.Value.From, Me.Missing.Value.To, Me.LastKnown.WasInStep));
    }

    [Fact]
    public void What_came_with_a_new_seat_before_its_place_was_known_is_not_passed_on_later()
    {
        _rig.Join(settled: At(31));
        Me.Hear(false);
        _rig.Read(Mark("x", 35, At(10)));
        Me.Hear(true);
        _rig.Event("its place is not known");
        BeginAnew();
        Assert.Equal(("", At(31)), (_rig.Keys, Me.Missing!.Value.From));
    }

    private void BeginAnew()
    {
        _rig.Subscribe(label: 50);
        _rig.Read(new GroupMessage.Who("m", 70));
        Me.Claiming(80);
        _rig.Read(new GroupMessage.FreshClaim("m", 80, 70, Me.LastKnown.Watermark, 0));
    }
}
