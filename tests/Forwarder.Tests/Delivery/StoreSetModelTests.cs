using CsCheck;
using KeyEvt.Forwarder.Config;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>
/// Does the promise hold with several stores, whatever happens to them? Nothing is lost, the ledger adds up at each step, and what arrives is in order for each node and each key.
/// </summary>
public sealed class StoreSetModelTests
{
    private enum Kind
    {
        Give,
        GiveMore,
        Confirm,
        Break,
        Unreachable,
        Reachable,
        Refuse,
        TakeAgain,
        LoseAnswer,
        MoveSlot,
        MoveList,
        NextHolder,
        Wait,
    }

    private readonly record struct Act(Kind Kind, int Which, int Size);

    private static readonly Gen<Act[]> Acts =
        Gen.Select(Gen.Int[0, Enum.GetValues<Kind>().Length - 1], Gen.Int[0, 2], Gen.Int[1, 30], (kind, which, size) => new Act((Kind)kind, which, size)).Array[1, 60];

    [Fact]
    public Task Nothing_is_lost_and_nothing_overtakes_what_it_must_not() =>
        Acts.SampleAsync(RunAsync, iter: Environment.GetEnvironmentVariable("CsCheck_Iter") is null ? 300 : -1, print: acts => string.Join(", ", acts));

    private static async Task RunAsync(Act[] acts)
    {
        var stores = new FakeStores();
        var rig = new DeliveryRig(stores: stores, options: new DeliveryOptions { Window = 8, StoreBatch = 16 });
        int[] nodeOfKey = [0, 1, 2, 0, 1, 2];
        int[] counts = [0, 0, 0];
        var given = new List<string>();
        var term = 1;
        foreach (var act in acts)
        {
            var link = rig.Broker.Current is { IsClosed: false } open ? open : null;
            switch (act.Kind)
            {
                case Kind.Give or Kind.GiveMore:
                    for (var n = 0; n < act.Size; n++)
                    {
                        int key = (n + act.Which) % nodeOfKey.Length, node = nodeOfKey[key];
                        rig.GiveOf((ulong)node, ++counts[node], $"k{key}");
                        given.Add($"{node:x16}-1-{counts[node]}");
                    }

                    break;
                case Kind.Confirm:
                    link?.ConfirmUpTo(Math.Min(act.Size, link.Unconfirmed.Count));
                    break;
                case Kind.Break:
                    link?.Break(0);
                    break;
                case Kind.Unreachable or Kind.Reachable:
                    rig.Broker.IsReachable = act.Kind == Kind.Reachable;
                    break;
                case Kind.Refuse when act.Which < 2: // one always takes them
                    stores.Stores[act.Which].Capacity = stores.Stores[act.Which].Entries.Count;
                    break;
                case Kind.TakeAgain:
                    stores.Stores[act.Which].Capacity = int.MaxValue;
                    break;
                case Kind.LoseAnswer when stores.Stores[act.Which].Failures.Count < 4: // one that does not answer for long is not waited for
                    stores.Stores[act.Which].Failures.Enqueue(true);
                    break;
                case Kind.MoveSlot:
                    nodeOfKey[act.Size % nodeOfKey.Length] = act.Which;
                    break;
                case Kind.MoveList:
                    stores.HomeOf[act.Size % 3] = act.Which;
                    break;
                case Kind.NextHolder when rig.Loop.Memory.IsEmpty: // it has what is in the stores, and nothing else
                    rig.Loop.HandOver();
                    rig.Loop.Hold(term += 100);
                    break;
                case Kind.Wait:
                    await rig.AdvanceAsync(act.Size / 20.0);
                    break;
            }

            await rig.SettleAsync();
            AssertAddsUp(rig);
        }

        rig.Broker.IsReachable = true;
        await DrainAsync(rig);
        AssertAddsUp(rig);
        var arrived = rig.Broker.Queue.DistinctBy(message => message.Id).ToList();
        Assert.Equal(given.Order(), arrived.Select(message => message.Id).Order());
        Assert.Equal((0, 0), (rig.Ledger.Snapshot().WaitingFallback, rig.Ledger.Snapshot().DroppedTotal));

        var place = given.Index().ToDictionary(one => one.Item, one => one.Index);
        foreach (var chain in arrived.GroupBy(message => message.Id[..16]).Concat(arrived.GroupBy(message => message.Body)))
        {
            Assert.Equal(chain.OrderBy(message => place[message.Id]).Select(message => message.Id), chain.Select(message => message.Id));
        }
    }

    /// <summary>In small steps: a store that fails for long is not waited for.</summary>
    private static async Task DrainAsync(DeliveryRig rig)
    {
        for (var round = 0; round < 1000 && (rig.Loop.State != DeliveryState.Live || !rig.Loop.Stores.IsKnown || !rig.Loop.Memory.IsEmpty || !rig.Loop.Stores.IsEmpty); round++)
        {
            await rig.AdvanceAsync(0.5);
            if (rig.Broker.Current is { IsClosed: false } link) link.ConfirmUpTo(link.Unconfirmed.Count);
            await rig.SettleAsync();
        }
    }

    private static void AssertAddsUp(DeliveryRig rig)
    {
        var (ledger, stores) = (rig.Ledger.Snapshot(), rig.Loop.Stores);
        Assert.True(ledger.Difference == 0, $"the ledger is off by {ledger.Difference}: {ledger}");
        Assert.Equal(rig.Loop.Memory.Count, ledger.WaitingMemory);
        Assert.Equal(ledger.WaitingFallback, stores.Length - stores.ReadAheadCount + stores.Drain.Count);
        Assert.All(stores.Queues, queue => Assert.Equal(queue.Length - queue.ReadAheadCount, queue.Unread.Count));
        Assert.All(stores.Queues, queue => Assert.Equal(queue.Unread.Count, queue.Unread.All.Sum(run => run.Count)));
    }
}
