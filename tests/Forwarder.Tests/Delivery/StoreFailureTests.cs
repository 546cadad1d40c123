using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>What is logged and shown of a fallback storage that fails, or of which it is not known what is in it?</summary>
public sealed class StoreFailureTests
{
    private readonly RecordingLogger _log = new();

    [Fact]
    public async Task A_single_list_is_known_once_it_was_counted_and_no_search_is_missing()
    {
        var rig = new DeliveryRig(logger: _log);
        await rig.RouteOneAsync();
        Assert.True(rig.Loop.Stores.IsKnown);
        Assert.Null(rig.Loop.Stores.LastRefusal);
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Warning 2118 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_that_fails_at_the_start_and_answers_then_is_sent_before_anything_newer()
    {
        var rig = new DeliveryRig();
        rig.Store.Entries.Add("0\nset\nold");
        rig.Store.IsDown = true;
        rig.Give(1);
        await rig.SettleAsync();
        Assert.NotNull(rig.Loop.Stores.LastRefusal);
        Assert.Equal(0, rig.Broker.Current?.Unconfirmed.Count ?? 0);
        rig.Store.IsDown = false;
        await rig.DrainAsync();
        Assert.Equal(["old", "k0"], rig.Broker.Queue.Select(message => message.Body[6..]));
    }

    [Fact]
    public async Task A_list_that_goes_on_failing_at_the_start_holds_nothing_up_in_the_end()
    {
        var rig = new DeliveryRig();
        rig.Store.IsDown = true;
        rig.Give(1);
        for (var n = 0; n < 20; n++) await rig.AdvanceAsync(5);
        Assert.Single(rig.Broker.Current!.Unconfirmed);
    }

    [Fact]
    public async Task A_list_that_goes_on_failing_is_logged_at_the_first_the_10th_and_each_100th_failure()
    {
        var rig = new DeliveryRig(logger: _log);
        rig.Broker.IsReachable = false;
        rig.Store.IsDown = true;
        rig.Give(1);
        await rig.SettleAsync();
        await AssertSaidAsync(rig, "Warning 2108 the fallback storage cannot take events: the fake store is down; ", () => (int)rig.Loop.Stores.Refusals);
    }

    [Fact]
    public async Task A_search_that_goes_on_failing_is_logged_at_the_first_the_10th_and_each_100th_failure()
    {
        var stores = new FakeStores();
        for (var n = 0; n < 300; n++) stores.Faults.Enqueue("nobody answers");
        var rig = new DeliveryRig(stores: stores, logger: _log);
        await rig.SettleAsync();
        await AssertSaidAsync(
            rig, "Warning 2118 what earlier runs left in the fallback storage is not known everywhere: nobody answers; ", () => 300 - stores.Faults.Count);
    }

    [Fact]
    public async Task Of_several_lists_that_fail_the_error_of_the_first_is_shown_and_then_that_of_the_other()
    {
        var stores = new FakeStores();
        foreach (var store in stores.Stores) store.Entries.Add("0\nset\nold");
        var rig = new DeliveryRig(stores: stores);
        rig.Broker.IsReachable = false;
        await rig.SettleAsync();
        for (var n = 0; n < 3; n++) (stores.Stores[n].IsDown, stores.Stores[n].Reason) = (n > 0, $"reason {n}");

        await rig.AdvanceAsync(2); // stores in which nothing is done are counted every second
        Assert.Equal("reason 1", rig.Loop.Stores.LastRefusal);
        stores.Stores[1].IsDown = false;
        await rig.AdvanceAsync(2);
        Assert.Equal("reason 2", rig.Loop.Stores.LastRefusal);
    }

    /// <summary>The pauses between two tries are 5 s at most.</summary>
    private async Task AssertSaidAsync(DeliveryRig rig, string beginning, Func<int> failures)
    {
        while (failures() < 205)
        {
            var expected = failures() switch { < 10 => 1, < 100 => 2, < 200 => 3, _ => 4 };
            Assert.Equal((failures(), expected), (failures(), _log.Lines.Count(line => line.StartsWith(beginning, StringComparison.Ordinal))));
            await rig.AdvanceAsync(5);
        }
    }
}
