using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Fallback;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>When are events stored again that a store has refused, and which epoch do stored events get?</summary>
public sealed class AppendRouterTests
{
    [Fact]
    public async Task What_a_store_has_refused_and_was_given_back_may_be_stored_when_its_next_try_would_have_been_due()
    {
        var (ledger, time) = (new Ledger(), new FakeTimeProvider());
        var list = Lists.One(new FakeStore { Capacity = 0 });
        var stores = new StoreSet(list, ledger, new DeliveryOptions(), new AsyncSignal(), time, NullLogger.Instance);
        stores.Hold(1);
        stores.StartCount();
        await EndAsync(stores);
        Assert.True(stores.MayAppend());

        var memory = new EventLog(ledger, WaitingPlace.Memory, long.MaxValue);
        ledger.Accepted();
        memory.Append("0\nset\nk"u8, 0, 7);
        stores.StartAppend(memory, 0);
        await EndAsync(stores);
        stores.GiveRefusedAppendBack();
        Assert.False(stores.HasAppendPending);
        Assert.True(memory.HasUnclaimed);

        var due = Assert.Single(stores.Queues).NotBefore;
        time.Advance(TimeSpan.FromTicks(due - time.GetTimestamp() - 1));
        Assert.False(stores.MayAppend());
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(stores.MayAppend());
    }

    [Fact]
    public async Task What_is_given_up_on_its_way_into_a_list_goes_there_again_and_not_into_that_of_another_master()
    {
        var (ledger, lists, arrives) = (new Ledger(), new FakeStores(), new TaskCompletionSource());
        var stores = new StoreSet(lists, ledger, new DeliveryOptions(), new AsyncSignal(), new FakeTimeProvider(), NullLogger.Instance);
        stores.Hold(1);
        stores.StartCount();
        await EndAsync(stores);

        var memory = new EventLog(ledger, WaitingPlace.Memory, long.MaxValue);
        ledger.Accepted();
        var id = new EventPosition(1, 1, 1).ToString();
        memory.Append(Encoding.ASCII.GetBytes($"\u0001{id}\n0\nset\nk"), id.Length, 7);
        lists.Stores[1].Until = arrives.Task;
        stores.StartAppend(memory, 0);
        stores.AbandonAppend(); // one of two streams is handed over: this one is not
        arrives.SetResult();
        for (var look = 0; look < 10; look++)
        {
            stores.Continue(0, isPressed: false);
            if (memory.HasUnclaimed && stores.MayAppend()) stores.StartAppend(memory, 0);
            await stores.Running;
            stores.TakeOutcome();
        }

        Assert.False(memory.HasUnclaimed);
        Assert.Empty(lists.Stores[0].Entries);
        Assert.NotEmpty(lists.Stores[1].Entries);
    }

    [Theory]
    [InlineData(100, 100, 10)]
    [InlineData(7, 1000, 7)]
    public async Task A_round_takes_as_many_events_as_its_limits_allow(int most, int mostBytes, int taken)
    {
        var (ledger, store) = (new Ledger(), new FakeStore());
        var stores = new StoreSet(Lists.One(store), ledger, new DeliveryOptions { StoreBatch = most, StoreBatchBytes = mostBytes }, new AsyncSignal(), new FakeTimeProvider(), NullLogger.Instance);
        stores.Hold(1);
        stores.StartCount();
        await EndAsync(stores);
        var memory = new EventLog(ledger, WaitingPlace.Memory, long.MaxValue);
        for (var n = 0; n < 20; n++)
        {
            ledger.Accepted();
            memory.Append("0\nset\n1234"u8, 0, 7);
        }

        stores.StartAppend(memory, 0);
        await EndAsync(stores);
        Assert.Equal(taken, store.Entries.Count);
    }

    [Fact]
    public void What_is_stored_now_is_sent_after_what_an_earlier_run_left_in_the_lists_and_then_in_the_spool()
    {
        long[] epochs = [EpochAssigner.FoundInList, EpochAssigner.FoundInSpool, new EpochAssigner().Current];
        Assert.Equal(epochs.Distinct().Order(), epochs);
    }

    /// <summary>Waits for the step under way, and takes its outcome in.</summary>
    private static async Task EndAsync(StoreSet stores)
    {
        await stores.Running;
        Assert.True(stores.TakeOutcome());
    }
}
