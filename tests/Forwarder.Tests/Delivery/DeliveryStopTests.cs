using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What happens to waiting events when the program ends, in good order or by a fault of its own?</summary>
public sealed class DeliveryStopTests
{
    [Fact]
    public async Task Stopping_stores_what_cannot_be_sent()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        rig.Broker.IsReachable = false;
        rig.Give(3);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.AdvanceAsync(0.2);
        await rig.AdvanceAsync(0.2);
        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((0L, 3), (rig.Loop.LeftBehind, rig.Store.Entries.Count));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Warning 2113 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_can_be_placed_nowhere_before_the_end_is_counted()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        rig.Broker.IsReachable = false;
        rig.Store.IsDown = true;
        rig.Give(3);
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        for (var second = 0; second < 10 && !rig.Loop.HasEnded; second++) await rig.AdvanceAsync(1);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((3L, 3L), (rig.Loop.LeftBehind, rig.Ledger.Snapshot().Dropped[(int)DropReason.Shutdown]));
        Assert.Contains(log.Lines, line => line.StartsWith("Warning 2113 3 events ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(5.5, 1, 0)]
    [InlineData(6.5, 0, 1)]
    public async Task In_the_first_half_of_its_time_confirms_are_waited_for_and_in_the_second_events_are_stored(double seconds, int sent, int stored)
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { ConfirmDeadline = TimeSpan.FromMinutes(1) });
        await rig.RouteOneAsync();
        rig.Give(1);
        await rig.SettleAsync();
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(12), Task.CompletedTask);
        await rig.SettleAsync();
        await rig.AdvanceAsync(seconds);
        if (stored == 0)
        {
            Assert.Empty(rig.Store.Entries);
            rig.Broker.Current!.ConfirmOne(0);
        }

        for (var round = 0; round < 10 && !rig.Loop.HasEnded; round++) await rig.AdvanceAsync(0.2);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((sent, stored, 0L), (rig.Broker.Queue.Count, rig.Store.Entries.Count, rig.Loop.LeftBehind));
        Assert.True(rig.Broker.Current!.IsClosed);
    }

    [Fact]
    public async Task Stopping_in_the_middle_of_a_drain_leaves_the_rest_in_the_list()
    {
        var rig = await DrainingAsync();
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.AdvanceAsync(0.2);
        rig.Broker.Current!.ConfirmUpTo(rig.Broker.Current.Unconfirmed.Count);
        for (var second = 0; second < 10; second++) await rig.AdvanceAsync(1);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal(20, rig.Broker.Queue.Count + rig.Store.Entries.Count);
    }

    [Fact]
    public async Task In_the_middle_of_a_drain_confirms_are_waited_for_in_the_first_half_of_the_time_only()
    {
        var rig = await DrainingAsync();
        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        await rig.SettleAsync();
        await rig.AdvanceAsync(3.9);
        Assert.False(rig.Loop.HasEnded);
        for (var look = 0; look < 4; look++) await rig.AdvanceAsync(0.1);
        Assert.True(rig.Loop.HasEnded);
        await stop;
        Assert.Equal((3, 17), (rig.Broker.Queue.Count, rig.Store.Entries.Count));
    }

    [Fact]
    public async Task A_storage_that_has_been_away_for_long_is_not_waited_for_at_the_end()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(3);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        rig.Store.IsDown = true;
        rig.Broker.Current!.ConfirmUpTo(2); // they cannot be removed from the storage any more
        for (var second = 0; second < 40; second++) await rig.AdvanceAsync(1);

        var stop = rig.Loop.StopAsync(TimeSpan.FromSeconds(8), Task.CompletedTask);
        for (var round = 0; round < 10; round++) await rig.AdvanceAsync(0.1);

        await stop;
        Assert.True(rig.Loop.HasEnded);
        Assert.Equal((3, 0L), (rig.Store.Entries.Count, rig.Loop.LeftBehind));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_in_the_program_is_not_tried_again_but_ends_the_loop(bool atPublish)
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        var bug = new NullReferenceException("a bug");
        if (atPublish)
        {
            rig.Give(1);
            await rig.SettleAsync();
            rig.Broker.Current!.ConfirmOne(0);
            await rig.SettleAsync();
        }

        rig.Broker.Bug = bug;
        rig.Give(1);
        var run = rig.Loop.RunAsync();
        var error = await Assert.ThrowsAsync<NullReferenceException>(() => run.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Same(bug, error);
        Assert.Contains(log.Lines, line => line.StartsWith("Critical 2112 ", StringComparison.Ordinal));
    }

    /// <summary>Twenty events were stored. Three of them have been sent and confirmed since, the next two are with the broker.</summary>
    private static async Task<DeliveryRig> DrainingAsync()
    {
        var rig = new DeliveryRig(options: new DeliveryOptions { Window = 4 });
        rig.Broker.IsReachable = false;
        rig.Give(20);
        await rig.AdvanceAsync(2);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        rig.Broker.Current!.ConfirmOne(0);
        await rig.SettleAsync();
        rig.Broker.Current.ConfirmUpTo(2);
        return rig;
    }
}
