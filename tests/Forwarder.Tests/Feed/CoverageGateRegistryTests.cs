using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Metrics;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Which node's events does a session wait for, and what is said of all waits together?</summary>
public sealed class CoverageGateRegistryTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly CoverageGateRegistry _gates;

    public CoverageGateRegistryTests() => _gates = new CoverageGateRegistry(Wait, _time, _log);

    [Fact]
    public void Each_place_has_one_gate()
    {
        var gate = _gates.Of("host", 1, null);
        Assert.Same(gate, _gates.Of(RedisAddress.Parse("redis://user:password@host:1")));
        Assert.NotSame(gate, _gates.Of("host", 2, null));
        Assert.NotSame(gate, _gates.Of("other", 1, null));
        Assert.Same(_gates.Of("", 0, "/run/redis"), _gates.Of(RedisAddress.Parse("unix:/run/redis")));
        Assert.NotSame(_gates.Of("", 0, "/run/redis"), _gates.Of("", 0, "/run/other"));
    }

    [Fact]
    public void The_events_of_a_node_without_a_feed_are_missing_if_any_are_wanted()
    {
        Assert.False(_gates.Of("before", 1, null).IsHolding);
        _gates.IsWanted = true;
        Assert.True(_gates.Of("after", 1, null).IsHolding);
    }

    [Fact]
    public void Nobody_waits_where_events_are_off()
    {
        _gates.IsWanted = true;
        _gates.AreEventsOff = () => true;
        Assert.True(_gates.Of("host", 1, null).WaitAsync().IsCompletedSuccessfully);
        Assert.Equal(0, _gates.Waits);
    }

    [Fact]
    public void Waits_and_those_that_ran_out_are_counted_over_all_nodes()
    {
        using var meter = new Meter("test");
        CoverageMetrics.Add(meter, _gates);
        _gates.IsWanted = true;
        var (one, other) = (_gates.Of("host", 1, null), _gates.Of("", 0, "/run/redis"));
        _ = one.WaitAsync();
        _ = one.WaitAsync();
        _ = other.WaitAsync();
        _time.Advance(Wait / 2);
        one.Show(isMissing: false);
        _time.Advance(Wait / 2);

        var metrics = new MeterReader(meter);
        Assert.Equal((3, 1), (metrics.Read("keyevt.coverage.waits"), metrics.Read("keyevt.coverage.timeouts")));
        Assert.Equal((3, 1), (_gates.Waits, _gates.RanOut));
        Assert.StartsWith("Warning 2030 node /run/redis: requests waited 1 s", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_at_a_port_is_named_by_host_and_port()
    {
        _gates.IsWanted = true;
        _ = _gates.Of("host", 6379, null).WaitAsync();
        _time.Advance(Wait);
        Assert.StartsWith("Warning 2030 node host:6379: requests waited 1 s for its events to be heard, and are passed on now (1 times so far)", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_wait_has_its_own_time()
    {
        _gates.IsWanted = true;
        var gate = _gates.Of("host", 1, null);
        _ = gate.WaitAsync();
        _time.Advance(Wait / 2);
        gate.Show(isMissing: false);
        gate.Show(isMissing: true);
        var second = gate.WaitAsync();
        _time.Advance(Wait / 2);
        Assert.False(second.IsCompleted);
        Assert.Equal(0, gate.RanOut);
        _time.Advance(Wait / 2);
        Assert.True(second.IsCompletedSuccessfully);
        Assert.Equal(1, gate.RanOut);
    }
}
