using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>Who listens to the events, and who only to the group?</summary>
public sealed class SeatPlanTests
{
    private static readonly StreamPlace Somewhere = new(10, 0);

    private readonly FakeTimeProvider _time = new();
    private readonly StreamMember _me = new("m", 10_000, new NoSink(), new NoDuties());
    private readonly PeerTable _peers;

    public SeatPlanTests()
    {
        _peers = new PeerTable("m", _time);
        _me.Hear(true);
        _me.Begin(1, 1);
    }

    [Fact]
    public void Who_knows_nothing_yet_keeps_what_it_has()
    {
        Assert.True(After(new SeatPlan(_me, _peers, 1, _time), hasSeat: true));
        Assert.False(After(new SeatPlan(_me, _peers, 1, _time), hasSeat: false));
    }

    [Fact]
    public void Who_gets_no_answer_takes_a_seat_at_once() => Assert.True(new SeatPlan(_me, _peers, 1, _time).ShouldHave(hasSeat: false, isAlone: true));

    [Theory]
    [InlineData("a b", 3, true)]
    [InlineData("a b", 2, false)]
    [InlineData("a z", 2, true)]  // z is last by name, and gives its seat up
    [InlineData("y z", 2, true)]
    [InlineData("a", 1, false)]
    public void Who_is_last_by_name_gives_up_one_seat_too_many(string seated, int seats, bool stays)
    {
        HeldBy("a");
        foreach (var name in seated.Split(' ')) Mark(name, Somewhere);
        Assert.Equal(stays, After(new SeatPlan(_me, _peers, seats, _time), hasSeat: true));
    }

    [Theory]
    [InlineData("a", "", 2, true)]
    [InlineData("a b", "", 2, false)]
    [InlineData("a", "c", 2, false)] // c comes first
    [InlineData("a", "c", 3, true)]
    [InlineData("a", "z", 2, true)]
    public void Who_is_first_by_name_takes_a_free_seat(string seated, string waiting, int seats, bool takes)
    {
        HeldBy("a");
        foreach (var name in seated.Split(' ')) Mark(name, Somewhere);
        foreach (var name in waiting.Split(' ', StringSplitOptions.RemoveEmptyEntries)) Mark(name, null);
        Assert.Equal(takes, After(new SeatPlan(_me, _peers, seats, _time), hasSeat: false));
    }

    [Fact]
    public void The_holder_keeps_its_seat()
    {
        HeldBy("m");
        Mark("a", Somewhere);
        Mark("b", Somewhere);
        Assert.True(After(new SeatPlan(_me, _peers, 1, _time), hasSeat: true));
    }

    [Fact]
    public void A_change_waits_until_it_has_been_due_for_a_second()
    {
        HeldBy("a");
        Mark("a", Somewhere);
        var plan = new SeatPlan(_me, _peers, 1, _time);
        Assert.True(plan.ShouldHave(hasSeat: true, isAlone: false));
        _time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.True(plan.ShouldHave(hasSeat: true, isAlone: false));
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.False(plan.ShouldHave(hasSeat: true, isAlone: false));
    }

    private bool After(SeatPlan plan, bool hasSeat)
    {
        plan.ShouldHave(hasSeat, isAlone: false);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        return plan.ShouldHave(hasSeat, isAlone: false);
    }

    private void Mark(string name, StreamPlace? reach) => _peers.Heard(new GroupMessage.Mark(name, 100, reach, true, null));

    private void HeldBy(string name)
    {
        if (name == "m") _me.Claiming(30);
        _me.Read(new GroupMessage.Who(name, 20), 0);
        _me.Read(new GroupMessage.FreshClaim(name, 30, 20, default, 0), 0);
    }

    private sealed class NoSink : IEventSink
    {
        public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
            throw new InvalidOperationException("no event is passed on here");

        public void EndOfBatch() => throw new InvalidOperationException("no event is passed on here");
    }

    private sealed class NoDuties : IHolderDuties
    {
        public bool IsBrokerThere => true;

        public (long Timestamp, long Term)? Fenced => null;

        public void Hold(long term)
        {
            // Nothing is delivered here.
        }

        public void HandOver()
        {
            // Nothing is delivered here.
        }
    }
}
