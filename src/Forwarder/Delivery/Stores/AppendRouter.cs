using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Into which store does each event go, and into which other one when that does not take it?</summary>
/// <remarks>
/// Events are moved in rounds. A round takes the oldest events from memory and makes one batch of them for each store; the next round starts when all batches are stored.
/// The events stay claimed in memory until then. Used by the delivery loop only.
/// </remarks>
internal sealed class AppendRouter(IEventStoreSelector stores, QueueRegistry queues, StoreCap cap, DeliveryOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>How long nothing new is meant for a store that did not take something.</summary>
    private static readonly TimeSpan RefuseFor = TimeSpan.FromSeconds(5);

    private readonly List<(FallbackQueue Queue, AppendBatch Batch)> _waiting = []; // batches of the round whose store is busy
    private readonly EpochAssigner? _epochs = stores.IsMany ? new EpochAssigner() : null;
    private EventLog? _from;
    private long _notBefore;
    private bool _isPressed; // no store can be waited for

    /// <summary>Whether a round is on its way into the stores, or a batch of it was refused and will be tried again.</summary>
    public bool HasPending => _waiting.Count > 0 || queues.Any(static queue => queue.Pending is not null);

    /// <summary>The oldest epoch of the batches that are not stored yet; the largest number when there is none.</summary>
    public long OldestPendingEpoch =>
        _waiting.Select(part => part.Batch).Concat(queues.All.Select(queue => queue.Pending).OfType<AppendBatch>()).Select(batch => batch.Epoch).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>Whether a round may start.</summary>
    /// <param name="atOnce">Even when the last one was refused a moment ago.</param>
    public bool MayStart(bool atOnce) =>
        !HasPending && !cap.IsExceeded && (stores.IsMany || queues.All[0].MayStart) && (atOnce || time.GetTimestamp() >= _notBefore);

    /// <summary>Takes a round of the oldest events from memory, and starts to append them.</summary>
    public void Start(EventLog from)
    {
        _from = from;
        _epochs?.BeginTerm(stores.Fence.Term);
        var (parts, count, bytes) = (new Dictionary<FallbackQueue, AppendBatch>(), 0, 0);
        while (count < options.StoreBatch && from.TryClaim(out var entry))
        {
            if (count > 0 && bytes + entry.Stored.Length > options.StoreBatchBytes)
            {
                from.Unclaim(entry.Sequence);
                break;
            }

            var queue = QueueFor(entry);
            if (_epochs?.MayJoin(entry, queue) == false)
            {
                if (count > 0)
                {
                    from.Unclaim(entry.Sequence); // for the next round: all that came earlier is stored by then
                    break;
                }

                _epochs.Begin();
            }

            _epochs?.Note(entry, queue);
            if (!parts.TryGetValue(queue, out var batch))
            {
                parts[queue] = batch = new AppendBatch(from, _epochs?.Current ?? EpochAssigner.FoundInList, isStamped: _epochs is not null);
            }

            batch.Add(entry);
            count++;
            bytes += entry.Stored.Length;
        }

        foreach (var (queue, batch) in parts) _waiting.Add((queue, batch));
        StartWaiting();
    }

    /// <summary>Puts batches that were refused elsewhere, and starts those whose store is ready.</summary>
    /// <param name="isPressed">Whether no store can be waited for, because memory fills up or the program ends.</param>
    public void Continue(bool isPressed)
    {
        _isPressed = isPressed;
        if (stores.IsMany)
        {
            foreach (var queue in queues.All)
            {
                if (queue.MayRedirect) Redirect(queue);
            }
        }

        StartWaiting();
    }

    /// <summary>Gives the round up; its events are unclaimed in memory. What of it has arrived will be found in the stores again, with equal ids.</summary>
    public void Abandon()
    {
        if (!HasPending) return;

        foreach (var queue in queues.All)
        {
            var hasFailed = queue.HasFailed; // what was only on its way goes there again: nowhere else is its order kept
            if (queue.GiveAppendBack() is not null && hasFailed && stores.IsMany) queue.RefuseFor(RefuseFor);
        }

        _waiting.Clear();
        _from?.UnclaimAll();
    }

    /// <summary>A round may start at once, whatever was refused before.</summary>
    public void ForgetRefusals() => _notBefore = 0;

    /// <summary>Gives a round up that every store has refused, until its next try is due. A full storage can then be read, which makes room in it.</summary>
    public void GiveRefusedBack()
    {
        var pending = queues.All.Where(queue => queue.Pending is not null).ToList();
        if (pending.Count == 0 || !pending.TrueForAll(queue => queue.MayGiveAppendBack)) return;

        _notBefore = pending.Max(queue => queue.NotBefore);
        Abandon();
    }

    private FallbackQueue QueueFor(in LogEntry entry)
    {
        if (cap.AreListsOff && stores.WithoutLists is { } place) return queues.Of(place);

        var queue = queues.Of(stores.StoreOf(entry));
        return queue.IsRefusing ? FindOther(queue) ?? queue : queue;
    }

    private FallbackQueue? FindOther(FallbackQueue queue) => stores.Elsewhere.Select(store => queues.Of(store)).FirstOrDefault(other => other != queue && !other.IsRefusing && MayStandIn(other, queue));

    /// <summary>The next holder of one list may not be that of the other, and then nobody could keep the order. So another list stands in only if nothing else helps.</summary>
    private bool MayStandIn(FallbackQueue other, FallbackQueue queue) => !other.IsCapped || _isPressed || !queue.IsWaitedFor;

    /// <summary>Puts the batch that a store has refused into another one.</summary>
    private void Redirect(FallbackQueue queue)
    {
        if (FindOther(queue) is not { } other || queue.GiveAppendBack() is not { } batch) return;

        queue.RefuseFor(RefuseFor);
        Redirect(batch, queue, other);
    }

    /// <summary>The batch gets a new epoch, as older events of its nodes and slots may be in the first store. Nothing newer of them is stored before the round has ended.</summary>
    private void Redirect(AppendBatch batch, FallbackQueue queue, FallbackQueue other)
    {
        StoreLog.StoredElsewhere(logger, batch.Entries.Count, queue.Name, other.Name);
        _epochs!.Begin();
        foreach (var entry in batch.Entries) _epochs.Note(entry, other);
        batch.Move(_epochs.Current);
        _waiting.Add((other, batch));
    }

    /// <summary>Starts the batches whose store is ready, those of one store in their order. A batch whose store fails at every step goes elsewhere.</summary>
    private void StartWaiting()
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var (queue, batch) = _waiting[i];
            var isNext = !_waiting.Take(i).Any(part => part.Queue == queue);
            if (isNext && queue.MayStart)
            {
                queue.StartAppend(batch, stores.IsMany ? 0 : cap.Value); // with several lists, StoreCap makes room in the longest one
                _waiting.RemoveAt(i);
            }
            else if (isNext && queue.IsRefusing && queue.Pending is null && FindOther(queue) is { } other)
            {
                _waiting.RemoveAt(i);
                Redirect(batch, queue, other);
            }
            else
            {
                i++;
            }
        }
    }
}
