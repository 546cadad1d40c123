using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using Xunit;
using static KeyEvt.Forwarder.Tests.Handover.HandoverRig;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>Who says something first, and who leaves a replica's stream to whom?</summary>
public sealed class MemberOrderTests
{
    [Fact]
    public void Without_a_wish_the_first_by_name_is_first()
    {
        var order = new MemberOrder("m");
        Assert.Equal((true, false, 0), (order.IsBefore("a"), order.IsBefore("x"), order.Compare("m", "m")));
    }

    [Fact]
    public void Who_is_preferred_is_first_whatever_its_name()
    {
        Assert.True(new MemberOrder("m") { Preferred = () => "x" }.IsBefore("x"));
        Assert.False(new MemberOrder("m") { Preferred = () => "m" }.IsBefore("a"));
        Assert.False(new MemberOrder("m") { Preferred = () => "q" }.IsBefore("x"));
    }

    [Fact]
    public void Each_master_of_a_cluster_has_an_order_of_its_own_which_all_members_know()
    {
        string[] names = ["a", "b", "c"];
        var firsts = new Dictionary<string, int>();
        for (var node = 0; node < 300; node++)
        {
            var seed = $"node-{node}";
            var first = names.Order(Comparer<string>.Create(new MemberOrder("a") { Seed = () => seed }.Compare)).First();
            Assert.All(names, me => Assert.Equal(me == first, !names.Any(other => other != me && new MemberOrder(me) { Seed = () => seed }.IsBefore(other))));
            firsts[first] = firsts.GetValueOrDefault(first) + 1;
        }

        Assert.All(names, name => Assert.InRange(firsts[name], 60, 140));
    }

    [Theory]
    [InlineData(false, true, true)]
    [InlineData(true, true, false)]  // a master's holder stays
    [InlineData(false, false, false)] // the other one could not go on
    public void The_holder_of_a_replicas_stream_leaves_it_to_the_holder_of_its_master(bool isMaster, bool reachesBack, bool resigns)
    {
        var rig = new HandoverRig(isServing: () => isMaster, order: new MemberOrder("m") { Preferred = () => "x" });
        rig.Hold(kept: At(35));
        rig.Read(Mark("x", 50, reachesBack ? At(30) : At(50)));
        var said = rig.Look(0.2);
        Assert.Equal(resigns, said.OfType<GroupMessage.Resign>().Any());
    }
}
