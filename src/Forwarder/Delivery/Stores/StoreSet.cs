using System.Runtime.ExceptionServices;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// What is in the fallback storage, all its stores together? Usually there is one. In a cluster there is one for each master: each has its own books and steps, so that one
/// whose master is away holds no other up; one round of events at a time goes from memory into all of them; and all are read into one drain log, in the order of their epochs
/// (<see cref="EpochAssigner"/>), so that what leaves is in order. Used by the delivery loop only, apart from the sums.
/// </summary>
internal sealed class StoreSet
{
    /// <summary>How long a store that did not take something is left alone.</summary>
    private static readonly TimeSpan RefuseFor = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private const int FoundInListEpoch = 0;
    private const int FoundInSpoolEpoch = 1;

    private readonly IEventStoreSelector _stores;
    private readonly Ledger _ledger;
    private readonly DeliveryOptions _options;
    private readonly AsyncSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<NamedStore, FallbackQueue> _queueOf = [];
    private readonly List<(FallbackQueue Queue, AppendBatch Batch)> _waiting = []; // parts of a round whose store is busy
    private readonly EpochAssigner? _order;
    private readonly Backoff _searchBackoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private volatile FallbackQueue[] _queues = [];
    private EventLog? _from;
    private Task? _search;
    private IReadOnlyList<NamedStore> _found = [];
    private string? _searchFault;
    private long _searchNotBefore;
    private long _noAppendBefore;
    private long _cap; // of the lists; 0 before anything was stored: what was found is not thrown away
    private bool _hasStored;
    private bool _isKnown;

    public StoreSet(IEventStoreSelector stores, Ledger ledger, DeliveryOptions options, AsyncSignal signal, TimeProvider time, ILogger logger)
    {
        (_stores, _ledger, _options, _signal, _time, _logger) = (stores, ledger, options, signal, time, logger);
        Drain = new EventLog(ledger, WaitingPlace.Fallback, long.MaxValue);
        _order = stores.IsMany ? new EpochAssigner() : null;
        foreach (var store in stores.Always)
            QueueOf(store, store.IsCapped ? FoundInListEpoch : FoundInSpoolEpoch);
    }

    /// <summary>Entries read from the stores and not yet settled; they stay there until they are.</summary>
    public EventLog Drain { get; }

    /// <summary>Each store; empty ones too.</summary>
    public IReadOnlyList<FallbackQueue> Queues => _queues;

    /// <summary>Entries in the stores by the books; those that are being sent included.</summary>
    public long Length
    {
        get
        {
            long length = 0;
            foreach (var queue in _queues)
                length += queue.Length;
            return length;
        }
    }

    /// <summary>Entries at the fronts that are also in the drain log.</summary>
    public long ReadAheadCount => _queues.Sum(queue => queue.ReadAheadCount);

    /// <summary>Whether a step runs whose end is to be waited for.</summary>
    public bool IsBusy => Any(static queue => queue.IsBusy && !queue.IsAway);

    /// <summary>The steps under way, for tests that wait for them.</summary>
    internal Task Running => Task.WhenAll([.. _queues.Select(queue => queue.Running), _search ?? Task.CompletedTask]);

    /// <summary>Whether there are any, or such whose outcome has not been taken in; for the same tests.</summary>
    internal bool HasSteps => _search is not null || _queues.Any(queue => queue.IsBusy);

    /// <summary>Whether it is known what earlier runs left.</summary>
    public bool IsKnown => _isKnown || (_isKnown = _stores.IsSearched && _search is null && _queues.All(queue => queue.IsKnown));

    public string? LastRefusal => _searchFault ?? _queues.Select(queue => queue.LastRefusal).FirstOrDefault(text => text is not null);

    public long Refusals => _queues.Sum(queue => queue.Refusals);

    /// <summary>Nothing in the stores, nothing read from them and not settled. What is where nobody answers for long is not waited for.</summary>
    public bool IsEmpty => !Any(static queue => !queue.IsEmpty && !queue.IsAway);

    /// <summary>Whether a round is on its way into the stores, or a part of it was refused and will be tried again.</summary>
    public bool HasAppendPending => _waiting.Count > 0 || Any(static queue => queue.HasAppendPending);

    /// <summary>Whether a round may start.</summary>
    /// <param name="atOnce">Even when the last one was refused a moment ago.</param>
    public bool MayAppend(bool atOnce = false) =>
        !HasAppendPending && !IsOverCap && (_stores.IsMany || _queues[0].MayStart) && (atOnce || _time.GetTimestamp() >= _noAppendBefore);

    /// <summary>Takes the outcomes of finished steps in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        bool any = TakeSearch();
        foreach (var queue in _queues)
            any |= queue.TakeOutcome();
        return any;
    }

    /// <summary>Tries failed steps again when their time has come, or elsewhere, and starts what waits for a store.</summary>
    /// <param name="cap">Of all lists together; 0: none; negative: the lists are switched off.</param>
    public void Continue(long cap)
    {
        if (_hasStored)
            _cap = cap;
        foreach (var queue in _queues)
            queue.RetryIfDue();
        if (_stores.IsMany)
        {
            foreach (var queue in _queues)
            {
                if (queue.MayRedirect)
                    Redirect(queue);
            }
        }

        StartWaiting();
        MakeRoom();
    }

    /// <summary>Finds out what earlier runs left.</summary>
    public void StartCount()
    {
        StartCounts();
        if (_stores.IsSearched || _search is not null || _time.GetTimestamp() < _searchNotBefore)
            return;

        _search = SearchAsync();
        _ = _search.ContinueWith(static (_, signal) => ((AsyncSignal)signal!).Set(), _signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Notices what becomes of stores in which nothing is done.</summary>
    public void LookAgain()
    {
        foreach (var queue in _queues)
            queue.LookAfter(LookEvery);
    }

    /// <summary>Moves a round of the oldest waiting events from memory to the ends of the stores.</summary>
    public void StartAppend(EventLog from, long cap)
    {
        (_from, _cap, _hasStored) = (from, cap, true);
        var parts = new Dictionary<FallbackQueue, AppendBatch>();
        var (count, bytes) = (0, 0);
        while (count < _options.StoreBatch && from.TryClaim(out var entry))
        {
            if (count > 0 && bytes + entry.Stored.Length > _options.StoreBatchBytes)
            {
                from.Unclaim(entry.Sequence);
                break;
            }

            var queue = QueueFor(entry);
            if (_order?.MayJoin(entry, queue) == false)
            {
                // It must not get there before all that came earlier has a place.
                if (count > 0)
                {
                    from.Unclaim(entry.Sequence);
                    break;
                }

                _order.BeginEpoch();
            }

            _order?.Note(entry, queue);
            if (!parts.TryGetValue(queue, out var batch))
                parts[queue] = batch = new AppendBatch(from, _order?.Epoch ?? FoundInListEpoch);
            batch.Add(entry);
            count++;
            bytes += entry.Stored.Length;
        }

        foreach (var (queue, batch) in parts)
            _waiting.Add((queue, batch));
        StartWaiting();
    }

    /// <summary>Gives the round up that is on its way; what of it arrived will be found in the stores again, with equal ids.</summary>
    public void AbandonAppend()
    {
        if (!HasAppendPending)
            return;

        foreach (var queue in _queues)
        {
            if (queue.GiveAppendBack() is not null && _stores.IsMany)
                queue.RefuseFor(RefuseFor);
        }

        _waiting.Clear();
        _from?.UnclaimAll();
    }

    /// <summary>A storage that is full must not keep what is in it from being read, which makes room: a refused round goes back to memory, for later.</summary>
    public void GiveRefusedAppendBack()
    {
        var pending = _queues.Where(queue => queue.HasAppendPending).ToList();
        if (pending.Count == 0 || !pending.TrueForAll(queue => queue.MayGiveAppendBack))
            return;

        _noAppendBefore = pending.Max(queue => queue.NotBefore);
        AbandonAppend();
    }

    /// <summary>Reads on, where there is room for it: first what is of the oldest epoch, in all stores.</summary>
    public void StartReads()
    {
        // What is in a store that has not been counted yet may be older than anything in the others.
        StartCounts();
        var unread = _queues.Where(queue => queue.Unread.Count > 0 && !queue.IsAway).ToList();
        if (unread.Count == 0 || Drain.Count > _options.ReadAhead || Drain.Bytes > _options.WindowBytes || _queues.Any(queue => !queue.IsKnown && !queue.IsAway))
            return;

        // What is of an older epoch and not there yet is waited for as well.
        int epoch = Math.Min(unread.Min(queue => queue.Unread.First.Epoch), _waiting.Select(part => part.Batch).Concat(_queues.Select(queue => queue.Pending).OfType<AppendBatch>())
            .Select(batch => batch.Epoch).DefaultIfEmpty(int.MaxValue).Min());
        foreach (var queue in unread.Where(queue => queue.MayStart && queue.Unread.First.Epoch == epoch))
            queue.StartRead((int)Math.Min(_options.StoreBatch, queue.Unread.First.Count));
    }

    /// <summary>Whether a batch can leave a store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part = false) => _queues.Any(queue => queue.HasRemovable(part) && !queue.IsAway);

    /// <summary>Removes what is settled from the fronts.</summary>
    public void StartRemoves(bool part)
    {
        foreach (var queue in _queues.Where(queue => queue.MayStart && queue.HasRemovable(part)))
            queue.StartRemove(part);
    }

    private void StartCounts()
    {
        foreach (var queue in _queues.Where(queue => !queue.IsKnown && queue.MayStart))
            queue.StartCount();
    }

    private IEnumerable<FallbackQueue> Lists => _queues.Where(queue => queue.IsCapped);

    private long ListLength => Lists.Sum(queue => queue.Length);

    /// <summary>With several lists the cap is that of all together: the longest one makes room.</summary>
    private bool IsOverCap => _cap > 0 && Length > _cap && ListLength > _cap && Lists.Any(queue => queue.Length > 1);

    /// <summary>What one is about to drop already, though it may take a while, is not dropped by another as well.</summary>
    private void MakeRoom()
    {
        if (!IsOverCap)
            return;

        long tooMany = ListLength - _cap - Lists.Sum(queue => queue.Trimming);
        if (tooMany > 0 && Lists.MaxBy(queue => queue.Length - queue.Trimming) is { MayStart: true, Length: > 1 } longest)
            longest.StartTrim(Math.Min(Math.Min(tooMany, longest.Length - 1), StoreSteps.MostTrimmed(0)));
    }

    /// <summary>Without an allocation: asked in each round of the loop.</summary>
    private bool Any(Func<FallbackQueue, bool> isSo)
    {
        foreach (var queue in _queues)
        {
            if (isSo(queue))
                return true;
        }

        return false;
    }

    private FallbackQueue QueueFor(in LogEntry entry)
    {
        if (_cap < 0 && _stores.WithoutLists is { } place)
            return QueueOf(place);

        var queue = QueueOf(_stores.StoreOf(entry));
        return queue.IsRefusing ? FindElsewhere(queue) ?? queue : queue;
    }

    private FallbackQueue? FindElsewhere(FallbackQueue queue) => _stores.Elsewhere.Select(store => QueueOf(store)).FirstOrDefault(other => other != queue && !other.IsRefusing);

    /// <summary>One that does not take its part: another one does, in a later epoch.</summary>
    private void Redirect(FallbackQueue queue)
    {
        if (FindElsewhere(queue) is not { } other || queue.GiveAppendBack() is not { } batch)
            return;

        queue.RefuseFor(RefuseFor);
        Redirect(batch, queue, other);
    }

    /// <summary>Nothing newer of the same nodes and slots is stored yet, as a round is of one epoch.</summary>
    private void Redirect(AppendBatch batch, FallbackQueue queue, FallbackQueue other)
    {
        StoreLog.StoredElsewhere(_logger, batch.Entries.Count, queue.Name, other.Name);
        _order!.BeginEpoch();
        foreach (var entry in batch.Entries)
            _order.Note(entry, other);
        batch.Epoch = _order.Epoch;
        _waiting.Add((other, batch));
    }

    /// <summary>Starts the parts whose stores are ready, of one store in their order; one that waits for a store where every step fails goes elsewhere.</summary>
    private void StartWaiting()
    {
        for (int i = 0; i < _waiting.Count;)
        {
            var (queue, batch) = _waiting[i];
            bool isNext = !_waiting.Take(i).Any(part => part.Queue == queue);
            if (isNext && queue.MayStart)
            {
                queue.StartAppend(batch, _stores.IsMany ? 0 : _cap); // of several lists not the one that is appended to makes room, but the longest
                _waiting.RemoveAt(i);
            }
            else if (isNext && queue.IsRefusing && !queue.HasAppendPending && FindElsewhere(queue) is { } other)
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

    private FallbackQueue QueueOf(NamedStore store, int foundEpoch = FoundInListEpoch)
    {
        if (!_queueOf.TryGetValue(store, out var queue))
        {
            _queueOf[store] = queue = new FallbackQueue(store, new StoreAccounting(Drain, foundEpoch, _ledger), _options, _signal, _time, _logger);
            _queues = [.. _queues, queue];
        }

        return queue;
    }

    /// <summary>What was not reached is said, and tried again.</summary>
    private async Task SearchAsync()
    {
        try
        {
            _found = await Task.Run(_stores.SearchAsync).ConfigureAwait(false);
            _searchFault = _stores.IsSearched ? null : "not every master was reached";
        }
        catch (StoreException e)
        {
            _searchFault = e.Message;
        }
    }

    private bool TakeSearch()
    {
        if (_search is not { IsCompleted: true })
            return false;

        var search = _search;
        _search = null;
        if (search.Exception?.InnerException is { } fault)
            ExceptionDispatchInfo.Throw(fault); // of the program: the loop ends with it
        foreach (var store in _found)
            QueueOf(store);
        _found = [];

        if (_searchFault is null)
            return true;

        var delay = _searchBackoff.Next();
        _searchNotBefore = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
        if (_searchBackoff.Failures is 1 or 10 || _searchBackoff.Failures % 100 == 0)
            StoreLog.NotSearched(_logger, _searchFault, (int)delay.TotalMilliseconds);
        return true;
    }
}
