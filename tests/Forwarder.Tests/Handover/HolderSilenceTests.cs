using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>When does a holder count as silent?</summary>
public sealed class HolderSilenceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemberTimes _times = new();
    private readonly HolderSilence _silence;

    public HolderSilenceTests()
    {
        _time.Advance(TimeSpan.FromHours(1));
        _silence = new HolderSilence(_times, _time);
        _silence.HolderHeard(Now);
    }

    private long Now => _time.GetTimestamp();

    [Fact]
    public void While_events_come_a_second_without_a_mark_is_silence()
    {
        _silence.EventNoticed(Now);
        Pass(0.8);
        OwnMark();
        Pass(0.15);
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
        Pass(0.1);
        Assert.True(_silence.IsProved(_times.HolderSilence, Now));
    }

    [Fact]
    public void Without_events_a_quiet_holder_has_the_time_of_a_mark_more()
    {
        Pass(2.1);
        OwnMark();
        Pass(0.01);
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
        Pass(0.1);
        Assert.True(_silence.IsProved(_times.HolderSilence, Now));
    }

    [Fact]
    public void Events_that_begin_late_leave_the_holder_a_second_to_mark()
    {
        Pass(0.9);
        _silence.EventNoticed(Now);
        Pass(0.8);
        OwnMark();
        Pass(0.1);
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
        Pass(0.2);
        Assert.True(_silence.IsProved(_times.HolderSilence, Now));
    }

    [Fact]
    public void A_stream_that_brings_nothing_back_proves_nothing()
    {
        _silence.EventNoticed(Now);
        OwnMark();
        Pass(30);
        Assert.True(_silence.IsProbeDue(Now));
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
    }

    [Fact]
    public void What_came_back_only_now_leaves_the_holder_a_moment()
    {
        _silence.EventNoticed(Now);
        Pass(30);
        OwnMark();
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
        Pass(0.05);
        Assert.True(_silence.IsProved(_times.HolderSilence, Now));
    }

    [Fact]
    public void A_word_of_the_holder_ends_the_silence()
    {
        _silence.EventNoticed(Now);
        Pass(5);
        OwnMark();
        Pass(0.1);
        _silence.HolderHeard(Now);
        Assert.False(_silence.IsProved(_times.HolderSilence, Now));
        Assert.False(_silence.IsProbeDue(Now));
        Assert.Equal(Now, _silence.HeardAt);
    }

    private void OwnMark() => _silence.OwnHeard(ClockReading.Now(_time), Now);

    private void Pass(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
