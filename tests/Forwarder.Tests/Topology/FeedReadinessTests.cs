using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Membership;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Is a member of a group ready?</summary>
public sealed class FeedReadinessTests
{
    [Theory]
    [InlineData(true, true, "a", null)]
    [InlineData(true, false, "a", null)] // a standby is ready
    [InlineData(true, false, null, "no member of the group delivers")]
    [InlineData(false, false, null, "are asked who delivers")]
    public void It_is_as_soon_as_somebody_delivers(bool isKnown, bool isHolder, string? holder, string? fault)
    {
        var found = FeedReadiness.GroupFaultOf(new StreamGroupStatus { IsKnown = isKnown, IsHolder = isHolder, Holder = holder });
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }
}
