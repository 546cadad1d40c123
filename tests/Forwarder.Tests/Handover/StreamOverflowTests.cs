using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>More came than a member can keep: what does it say is missing?</summary>
public sealed class StreamOverflowTests
{
    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 50)] // and what came in a subscription in between was too much already
    [InlineData(true, 0)]   // and delivery goes on with what it got before
    [InlineData(true, 50)]
    public void What_was_pushed_out_of_the_ring_since_the_state_was_lost_is_missing_though_all_before_is_kept(bool wasDelivering, int between)
    {
        var rig = new HandoverRig(ringBytes: 400);
        if (wasDelivering) rig.Hold();
        else rig.Join(settled: At(31));
        rig.Event("a");
        rig.Subscribe(label: 60);
        for (var i = 0; i < (between > 0 ? between : 50); i++) rig.Event($"key-{i}");
        if (between > 0) rig.Subscribe(label: 65);

        rig.Read(new GroupMessage.Who("m", 70));
        rig.Member.Claiming(80);
        rig.Read(new GroupMessage.FreshClaim("m", 80, 70, At(31), 0));
        var (from, to) = rig.Member.Missing!.Value;
        Assert.InRange(rig.Passed.Count, 1, 10);
        Assert.True(from <= At(60) && to == rig.Member.Reach, $"{from} to {to}, and {rig.Member.Reach} is reached");
    }
}
