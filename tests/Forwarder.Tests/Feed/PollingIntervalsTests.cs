using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>How often is a node asked for what, to the millisecond?</summary>
public sealed class PollingIntervalsTests
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250), Rarely = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void For_a_second_after_an_event_the_flags_are_checked_often()
    {
        var pace = Pace();
        Assert.Equal(Rarely, pace.LookInterval);
        pace.Beat(); // of a new connection it is not known whether events flow
        Assert.Equal(Often, pace.LookInterval);
        After(999);
        pace.Beat();
        Assert.Equal(Often, pace.LookInterval);
        After(1);
        Assert.Equal(Rarely, pace.LookInterval);

        pace.HasNews = true;
        pace.Beat();
        Assert.False(pace.HasNews);
        After(500);
        Assert.Equal(Often, pace.LookInterval);
    }

    [Fact]
    public void On_a_machine_that_has_just_started_what_never_happened_was_not_a_moment_ago()
    {
        var pace = new PollingIntervals(new NodeFeedOptions(), new FakeTimeProvider(DateTimeOffset.MinValue.AddMilliseconds(1)), () => EventClass.All);
        Assert.Equal(Rarely, pace.LookInterval);
    }

    [Fact]
    public void For_five_seconds_after_others_gave_CONFIG_SET_the_flags_are_checked_often()
    {
        var pace = Pace();
        pace.Beat();
        After(1000);
        pace.OthersSet();
        Assert.Equal(Rarely, pace.LookInterval);
        pace.Beat();
        After(4999);
        pace.Beat();
        Assert.Equal(Often, pace.LookInterval);
        After(1);
        Assert.Equal(Rarely, pace.LookInterval);
    }

    [Fact]
    public void The_role_is_asked_for_as_often_as_anybody_may_need_it()
    {
        var options = new NodeFeedOptions { RoleInterval = TimeSpan.FromMilliseconds(600), IdleInterval = TimeSpan.FromSeconds(10) };
        Assert.Equal(TimeSpan.FromMilliseconds(600), Pace(options).RoleInterval);
        Assert.Equal(TimeSpan.FromSeconds(10), Pace(options, EventClass.None).RoleInterval);
        Assert.Equal(Rarely, Pace(options with { HasSuccessors = true }, EventClass.None).RoleInterval);
        Assert.Equal(TimeSpan.FromSeconds(3), Pace(options with { HasSuccessors = true, RoleInterval = TimeSpan.FromSeconds(3) }, EventClass.None).RoleInterval);
        Assert.True(Pace().IsWanted);
        Assert.False(Pace(wanted: EventClass.None).IsWanted);
    }

    private PollingIntervals Pace(NodeFeedOptions? options = null, EventClass wanted = EventClass.All) => new(options ?? new NodeFeedOptions(), _time, () => wanted);

    private void After(int milliseconds) => _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
}
