using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What happens to an event that the broker refuses, returns or cannot take?</summary>
public sealed class DeliveryRefusalTests
{
    [Fact]
    public async Task A_refused_event_is_tried_again_before_anything_newer()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 2 });
        await rig.RouteOneAsync();
        rig.Give(4);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(1);
        // It is sent alone, so that no later event overtakes it again.
        Assert.Equal(["0\nset\nk0"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(["0\nset\nk2"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        await rig.AdvanceAsync(8);
        rig.Broker.Current.ConfirmOne(0);
        await rig.AdvanceAsync(8);
        rig.Give(4);
        await rig.SettleAsync();
        // The whole window is in use again.
        Assert.Equal(2, rig.Broker.Current.Unconfirmed.Count);
    }

    [Fact]
    public async Task After_a_confirm_the_pause_behind_the_next_refusal_is_short_again()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        for (var round = 0; round < 10; round++)
        {
            rig.Give(1);
            await rig.SettleAsync();
            rig.Broker.Current!.RefuseOne(0);
            await rig.SettleAsync();
            await rig.AdvanceAsync(0.3);
            Assert.Single(rig.Broker.Current!.Unconfirmed);
            rig.Broker.Current.ConfirmOne(0);
            await rig.SettleAsync();
        }
    }

    [Fact]
    public async Task On_a_new_link_the_pause_behind_a_refusal_is_over()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(1);
        for (var round = 0; round < 10; round++)
        {
            await rig.AdvanceAsync(6);
            rig.Broker.Current!.RefuseOne(0);
            await rig.SettleAsync();
        }

        rig.Broker.Current!.Break(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(0.2);
        Assert.False(rig.Broker.Current!.IsClosed);
        Assert.Single(rig.Broker.Current!.Unconfirmed); // the pause was of 2.5 s at least
    }

    [Fact]
    public async Task An_event_refused_too_often_is_sent_on_as_failed()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { MaxAttempts = 2 });
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.RefuseOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(6);
        rig.Broker.Current!.RefuseOne(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(6);
        Assert.Equal("redis_keyspace_events.failed", rig.Broker.Current.Unconfirmed[0].RoutingKey);
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(1, rig.Ledger.Snapshot().Dropped[(int)DropReason.DeadLettered]);
    }

    [Fact]
    public async Task A_message_too_large_for_the_broker_is_found_dropped_and_counted_and_holds_up_nothing()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        // The second of these events is too large.
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.Current!.CloseAsTooLarge();
        await rig.SettleAsync();
        await rig.AdvanceAsync(2);

        // After the refusal events are sent one at a time.
        Assert.Equal(["0\nset\nk0"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        Assert.Equal(["0\nset\nk1"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.CloseAsTooLarge();
        await rig.SettleAsync();
        await rig.AdvanceAsync(2);

        Assert.Equal(["0\nset\nk2"], rig.Broker.Current.Unconfirmed.Select(m => m.Body));
        rig.Broker.Current.ConfirmOne(0);
        await rig.SettleAsync();
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((3L, 1L, 0L), (ledger.Confirmed, ledger.Dropped[(int)DropReason.TooLarge], ledger.Difference));
    }

    [Fact]
    public async Task A_returned_event_is_never_counted_as_delivered()
    {
        var rig = new DeliveryRig();
        await rig.RouteOneAsync();
        rig.Give(3);
        await rig.SettleAsync();
        rig.Broker.Current!.ReturnOne(1);
        rig.Broker.Current.ConfirmUpTo(2);
        await rig.SettleAsync();
        var ledger = rig.Ledger.Snapshot();
        Assert.Equal((3L, 1L, 0L), (ledger.Confirmed, ledger.Dropped[(int)DropReason.Unroutable], ledger.Difference));
    }
}
