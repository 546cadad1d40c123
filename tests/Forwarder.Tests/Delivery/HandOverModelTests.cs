using CsCheck;
using KeyEvt.Forwarder.Config;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Does the ledger add up, and is every event sent or accounted for, whenever the office changes: also with steps and messages under way?</summary>
public sealed class HandOverModelTests
{
    private enum Kind
    {
        Give,
        Confirm,
        Refuse,
        Break,
        Unreachable,
        Reachable,
        StoreFailsBefore,
        StoreFailsAfter,
        StoreDown,
        StoreUp,
        StoreWaits,
        StoreAnswers,
        OtherSends,
        OtherStores,
        HandOver,
        Hold,
        HandOverAndHold,
        Wait,
    }

    private static readonly Gen<(Kind Kind, int Size)[]> Acts =
        Gen.Select(Gen.Int[0, Enum.GetValues<Kind>().Length - 1], Gen.Int[0, 40], (kind, size) => ((Kind)kind, size)).Array[1, 60];

    [Fact]
    public Task With_one_list() => Acts.SampleAsync(acts => RunAsync(acts, isMany: false), iter: Histories(200), print: acts => string.Join(", ", acts));

    [Fact]
    public Task With_several_lists() => Acts.SampleAsync(acts => RunAsync(acts, isMany: true), iter: Histories(150), print: acts => string.Join(", ", acts));

    /// <summary>The ledger and the books agree with each other and with what is there.</summary>
    internal static void AssertAddsUp(DeliveryRig rig)
    {
        var (ledger, stores) = (rig.Ledger.Snapshot(), rig.Loop.Stores);
        Assert.True(ledger.Difference == 0, $"the ledger is off by {ledger.Difference}: {ledger}");
        Assert.Equal(ledger.WaitingMemory, rig.Loop.Memory.Count);
        Assert.Equal(ledger.WaitingFallback, stores.Length - stores.ReadAheadCount + stores.Drain.Count);
        Assert.True(ledger.WaitingFallback >= 0 && stores.ReadAheadCount >= 0 && stores.Length >= 0);
    }

    /// <summary>The ordinary number, or the one that the variable CsCheck_Iter asks for.</summary>
    private static int Histories(int ordinary) => Environment.GetEnvironmentVariable("CsCheck_Iter") is null ? ordinary : -1;

    private static async Task RunAsync((Kind Kind, int Size)[] acts, bool isMany)
    {
        var many = isMany ? new FakeStores() : null;
        var rig = new DeliveryRig(stores: many, options: new DeliveryOptions { Window = 8, StoreBatch = 16 }, isHolder: false);
        var stores = many?.Stores ?? [rig.Store];
        var (term, given, isHolder) = (0L, 0, false);
        var answer = new TaskCompletionSource();
        foreach (var (kind, size) in acts)
        {
            var store = stores[size % stores.Length];
            switch (kind)
            {
                case Kind.Give when isHolder: // a standby gives nothing to the loop
                    for (var i = 0; i < size; i++, given++) rig.GiveOf((ulong)(given % stores.Length), given + 1, $"k{given}");
                    break;
                case Kind.Confirm when rig.Broker.Current is { IsClosed: false } link: link.ConfirmUpTo(Math.Min(size, link.Unconfirmed.Count)); break;
                case Kind.Refuse when rig.Broker.Current is { IsClosed: false, Unconfirmed.Count: > 0 } link: link.RefuseOne(size % link.Unconfirmed.Count); break;
                case Kind.Break when rig.Broker.Current is { IsClosed: false } link: link.Break(Math.Min(size, link.Unconfirmed.Count)); break;
                case Kind.Unreachable or Kind.Reachable: rig.Broker.IsReachable = kind == Kind.Reachable; break;
                case Kind.StoreFailsBefore or Kind.StoreFailsAfter: store.Failures.Enqueue(kind == Kind.StoreFailsAfter); break;
                case Kind.StoreDown or Kind.StoreUp: store.IsDown = kind == Kind.StoreDown; break;
                case Kind.StoreWaits: store.Until = answer.Task; break;
                case Kind.StoreAnswers: answer = Answer(stores, answer); break;
                case Kind.OtherSends when !isHolder: store.Entries.RemoveRange(0, Math.Min(size, store.Entries.Count)); break;
                case Kind.OtherStores when !isHolder: store.Entries.Add($"0\nset\nother{size}"); break;
                case Kind.HandOver or Kind.HandOverAndHold:
                    rig.Loop.HandOver();
                    isHolder = false;
                    if (kind == Kind.HandOverAndHold) goto case Kind.Hold;
                    break;
                case Kind.Hold:
                    rig.Loop.Hold(++term);
                    isHolder = true;
                    break;
                case Kind.Wait: rig.Time.Advance(TimeSpan.FromSeconds(size / 10.0)); break;
            }

            await (stores.Any(one => one.Until is not null) ? rig.RoundsAsync() : rig.SettleAsync());
            AssertAddsUp(rig);
        }

        Answer(stores, answer);
        await rig.SettleAsync();
        rig.Broker.IsReachable = true;
        foreach (var store in stores) store.IsDown = false;
        foreach (var store in stores) store.Failures.Clear();
        rig.Loop.Hold(++term);
        await rig.DrainAsync();
        AssertAddsUp(rig);
        var now = rig.Ledger.Snapshot();
        var missing = Enumerable.Range(0, given).Select(n => $"k{n}").Except(rig.QueuedKeys).Count();
        Assert.True(missing <= now.HandedOver, $"{missing} of {given} events are missing, {now.HandedOver} were handed over");
        Assert.Equal((0L, term), (now.DroppedTotal, rig.Stores.Fence.Term));
        Assert.All(stores, store => Assert.Empty(store.Entries));
    }

    private static TaskCompletionSource Answer(FakeStore[] stores, TaskCompletionSource answer)
    {
        foreach (var store in stores) store.Until = null;
        answer.SetResult();
        return new TaskCompletionSource();
    }
}
