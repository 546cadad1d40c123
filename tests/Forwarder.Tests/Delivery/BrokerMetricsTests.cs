using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Tests.Metrics;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Do the metrics say what the link to the broker, and what the way of the events is?</summary>
public sealed class BrokerMetricsTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly DeliveryRig _rig = new();

    public BrokerMetricsTests() => BrokerMetrics.Add(_meter, _rig.Loop);

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task The_link_comes_is_blocked_and_goes()
    {
        AssertLink(connected: 0, blocked: 0, connects: 0, failures: 0);
        _rig.Broker.IsReachable = false;
        _rig.Give(1);
        await _rig.SettleAsync();
        AssertLink(connected: 0, blocked: 0, connects: 0, failures: 1);
        _rig.Broker.IsReachable = true;
        await _rig.AdvanceAsync(1);
        AssertLink(connected: 1, blocked: 0, connects: 1, failures: 1);
        _rig.Broker.Current!.Block(true);
        await _rig.SettleAsync();
        AssertLink(connected: 1, blocked: 1, connects: 1, failures: 1);
        _rig.Broker.IsReachable = false;
        _rig.Broker.Current.Break(0);
        await _rig.SettleAsync();
        AssertLink(connected: 0, blocked: 0, connects: 1, failures: 2);
    }

    [Fact]
    public async Task Messages_are_unconfirmed_come_back_and_are_refused()
    {
        _rig.Config = _rig.Config with { RoutingKey = "{key}" };
        _rig.GiveOf(1, 1, new string('k', 300));
        await _rig.SettleAsync();
        AssertMessages(unconfirmed: 1, returned: 0, missing: 0, refused: 0, cut: 1);
        _rig.Broker.Current!.ReturnOne(0);
        await _rig.SettleAsync();
        AssertMessages(unconfirmed: 0, returned: 1, missing: 1, refused: 0, cut: 1);
        await _rig.AdvanceAsync(1);
        _rig.Broker.Current.ConfirmUpTo(1);
        await _rig.SettleAsync();
        AssertMessages(unconfirmed: 0, returned: 1, missing: 0, refused: 0, cut: 2);
        _rig.Give(2);
        await _rig.SettleAsync();
        _rig.Broker.Current.RefuseOne(0);
        await _rig.SettleAsync();
        AssertMessages(unconfirmed: 1, returned: 1, missing: 0, refused: 1, cut: 2);
    }

    [Fact]
    public async Task The_state_that_holds_is_1()
    {
        AssertState("live", changes: 0);
        _rig.Broker.IsReachable = false;
        _rig.Give(1);
        await _rig.SettleAsync();
        AssertState("storing", changes: 1);
        _rig.Broker.IsReachable = true;
        await _rig.AdvanceAsync(1);
        AssertState("draining", changes: 2);
        _rig.Broker.Current!.ConfirmUpTo(1);
        await _rig.SettleAsync();
        AssertState("live", changes: 3);
        var disconnect = _rig.Loop.DisconnectAsync();
        await _rig.SettleAsync();
        Assert.True(await disconnect);
        AssertState("stopped", changes: 4);
    }

    private void AssertLink(int connected, int blocked, int connects, int failures) =>
        Assert.Equal((connected, blocked, connects, failures), (Read("broker.connected"), Read("broker.blocked"), Read("broker.connects"), Read("broker.failures")));

    private void AssertMessages(int unconfirmed, int returned, int missing, int refused, int cut) => Assert.Equal(
        (unconfirmed, returned, missing, refused, cut),
        (Read("broker.unconfirmed"), Read("broker.returned"), Read("broker.route.missing"), Read("broker.refused"), Read("broker.routing.keys.cut")));

    private void AssertState(string now, int changes)
    {
        string[] states = ["live", "storing", "draining", "stopped"];
        Assert.Equal(states.Select(state => state == now ? 1 : 0), states.Select(state => Read("delivery.state", ("state", state))));
        Assert.Equal(changes, Read("delivery.state.changes"));
    }

    private int Read(string name, params (string Name, string Value)[] tags) => (int)new MeterReader(_meter).Read("keyevt." + name, tags)!.Value;
}
