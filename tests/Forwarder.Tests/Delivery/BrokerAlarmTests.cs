using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What is logged and shown while the broker takes nothing because of an alarm of its own, and when does that end?</summary>
public sealed class BrokerAlarmTests
{
    private readonly RecordingLogger _log = new();
    private readonly DeliveryRig _rig;

    public BrokerAlarmTests() => _rig = new DeliveryRig(logger: _log);

    [Fact]
    public async Task The_same_alarm_is_logged_every_10_s_at_most_and_another_one_at_once()
    {
        await _rig.RouteOneAsync();
        await AlarmAsync("low on memory");
        Assert.Equal("Warning 2103 the broker takes nothing at the moment: low on memory; events are stored until it does", Assert.Single(Said()).TrimEnd());
        await _rig.AdvanceAsync(9.9);
        await AlarmAsync("low on memory");
        Assert.Single(Said());
        await _rig.AdvanceAsync(0.1);
        await AlarmAsync("low on memory");
        Assert.Equal(2, Said().Count);
        await AlarmAsync("low on disk");
        Assert.Contains("low on disk", Said()[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_an_alarm_is_logged()
    {
        await _rig.RouteOneAsync();
        await AlarmAsync("low on memory");
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Information 2104 ", StringComparison.Ordinal));
        _rig.Broker.Current!.Block(false);
        await _rig.SettleAsync();
        Assert.Single(_log.Lines, line => line.StartsWith("Information 2104 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_disconnect_nothing_is_blocked_any_more_and_after_connect_events_are_sent()
    {
        await _rig.RouteOneAsync();
        await AlarmAsync("low on memory");
        Assert.Equal("low on memory", _rig.Loop.Links.BlockedReason);
        var disconnect = _rig.Loop.DisconnectAsync();
        await _rig.SettleAsync();
        Assert.True(await disconnect);
        Assert.Null(_rig.Loop.Links.BlockedReason);

        var connect = _rig.Loop.ConnectAsync();
        await _rig.SettleAsync();
        Assert.Equal(0, (await connect).Code);
        _rig.Give(1);
        await _rig.DrainAsync();
        Assert.Equal(["k0"], _rig.QueuedKeys);
    }

    [Fact]
    public async Task After_an_alarm_stored_events_are_sent_at_once_although_one_was_refused_before_it()
    {
        await _rig.RouteOneAsync();
        _rig.Give(2);
        await _rig.SettleAsync();
        _rig.Broker.Current!.RefuseOne(0); // it waits for the answer to the other one
        await AlarmAsync("low on memory");
        Assert.Equal((DeliveryState.Storing, 2), (_rig.Loop.State, _rig.Store.Entries.Count));
        _rig.Broker.Current.Unconfirmed.Clear();
        _rig.Broker.Current.Block(false);
        await _rig.SettleAsync();
        Assert.Equal(["0\nset\nk0", "0\nset\nk1"], _rig.Broker.Current.Unconfirmed.Select(message => message.Body));
    }

    private async Task AlarmAsync(string reason)
    {
        _rig.Broker.Current!.Block(true, reason);
        await _rig.SettleAsync();
    }

    private List<string> Said() => [.. _log.Lines.Where(line => line.StartsWith("Warning 2103 ", StringComparison.Ordinal))];
}
