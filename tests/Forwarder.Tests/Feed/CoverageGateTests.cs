using KeyEvt.Forwarder.Feed.Coverage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Who waits for a node's events to be heard, and for how long?</summary>
public sealed class CoverageGateTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly CoverageGate _gate;

    public CoverageGateTests() => _gate = new CoverageGate("redis://node", Wait, _time, NullLogger.Instance);

    [Fact]
    public void Nobody_waits_where_nothing_is_missing()
    {
        Assert.False(_gate.IsHolding);
        Assert.True(_gate.WaitAsync().IsCompletedSuccessfully);
        Assert.Equal(0, _gate.Waits);
    }

    [Fact]
    public async Task Who_waits_goes_on_when_events_are_heard()
    {
        _gate.Show(isMissing: true);
        Assert.True(_gate.IsHolding);
        var waits = new[] { _gate.WaitAsync(), _gate.WaitAsync() };
        _time.Advance(Wait / 2);
        Assert.All(waits, wait => Assert.False(wait.IsCompleted));
        _gate.Show(isMissing: false);
        await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal((2, 0), (_gate.Waits, _gate.RanOut));
        _time.Advance(Wait);
        Assert.Equal(0, _gate.RanOut);
    }

    [Fact]
    public async Task The_time_runs_out_for_all_at_once_and_nobody_waits_again_before_events_were_heard()
    {
        _gate.Show(isMissing: true);
        var early = _gate.WaitAsync();
        _time.Advance(Wait / 2);
        var late = _gate.WaitAsync();
        _time.Advance(Wait / 2);
        await Task.WhenAll(early, late).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(1, _gate.RanOut);
        Assert.False(_gate.IsHolding);

        _time.Advance(TimeSpan.FromMinutes(1));
        _gate.Show(isMissing: true);
        Assert.False(_gate.IsHolding);
        _gate.Show(isMissing: false);
        _gate.Show(isMissing: true);
        Assert.True(_gate.IsHolding);
    }

    [Fact]
    public void Within_ten_seconds_of_a_wait_that_ran_out_nobody_waits_again()
    {
        _gate.Show(isMissing: true);
        _ = _gate.WaitAsync();
        _time.Advance(Wait);
        _gate.Show(isMissing: false);
        _time.Advance(TimeSpan.FromSeconds(9.9));
        _gate.Show(isMissing: true);
        Assert.False(_gate.IsHolding);
        _gate.Show(isMissing: false);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        _gate.Show(isMissing: true);
        Assert.True(_gate.IsHolding);
    }

    [Fact]
    public void Nobody_waits_for_a_replica_nor_while_events_are_off_nor_with_the_wait_switched_off()
    {
        var off = new CoverageGate("redis://node", TimeSpan.Zero, _time, NullLogger.Instance);
        off.Show(isMissing: true);
        Assert.False(off.IsHolding);

        _gate.IsOfReplica = true;
        _gate.Show(isMissing: true);
        Assert.False(_gate.IsHolding);
        _gate.IsOfReplica = false;
        Assert.True(_gate.IsHolding);

        Assert.False(_gate.WaitAsync().IsCompleted);
        var disconnected = new CoverageGate("redis://node", Wait, _time, NullLogger.Instance) { AreEventsOff = () => true };
        disconnected.Show(isMissing: true);
        Assert.True(disconnected.WaitAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public void The_feed_is_told_that_somebody_waits()
    {
        var told = 0;
        _gate.Hurry = () => told++;
        _gate.Show(isMissing: true);
        Assert.Equal(0, told);
        _ = _gate.WaitAsync();
        Assert.Equal(1, told);
    }
}
