using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which stores are in use, and what is the queue of each? A queue is made when its store is first named, and stays.</summary>
/// <remarks>Written by the delivery loop only. Reports may read <see cref="All"/> from other threads: the array is replaced, never changed.</remarks>
/// <param name="drain">Where all queues put what they read.</param>
/// <param name="office">Whether the lists may be used.</param>
internal sealed class QueueRegistry(EventLog drain, Ledger ledger, ListOffice office, DeliveryOptions options, AsyncSignal signal, TimeProvider time, ILogger logger)
{
    private readonly DeliveryClock _clock = new(time);
    private readonly Dictionary<NamedStore, FallbackQueue> _queueOf = [];
    private volatile FallbackQueue[] _all = [];

    public FallbackQueue[] All => _all;

    /// <summary>Entries in all stores by the books; those that are being sent included.</summary>
    public long Length
    {
        get
        {
            long length = 0;
            foreach (var queue in _all) length += queue.Length;
            return length;
        }
    }

    /// <summary>The queue of a store.</summary>
    /// <param name="foundEpoch">The epoch of what an earlier run left there; it counts when the queue is made.</param>
    public FallbackQueue Of(NamedStore store, long foundEpoch = EpochAssigner.FoundInList)
    {
        if (!_queueOf.TryGetValue(store, out var queue))
        {
            _queueOf[store] = queue = new FallbackQueue(store, new StoreAccounting(drain, foundEpoch, ledger), new StoreStepRunner(options.Random, signal, time, logger), office, options, _clock);
            _all = [.. _all, queue];
        }

        return queue;
    }

    /// <summary>Without an allocation, as the loop asks in each of its rounds.</summary>
    public bool Any(Func<FallbackQueue, bool> isSo)
    {
        foreach (var queue in _all)
        {
            if (isSo(queue)) return true;
        }

        return false;
    }
}
