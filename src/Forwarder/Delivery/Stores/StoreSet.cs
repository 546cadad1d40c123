using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>What is in the fallback storage, all its stores together, and which steps start next?</summary>
/// <remarks>
/// <para>Usually there is one store. In a cluster each master has one, with books and steps of its own: a master that is away does not hold the others up.</para>
/// <para>All stores are read into one drain log. <see cref="EpochAssigner"/> says in which order.</para>
/// <para>Used by the delivery loop only. Reports read the sums from other threads, as they are.</para>
/// </remarks>
internal sealed class StoreSet
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IEventStoreSelector _stores;
    private readonly DeliveryOptions _options;
    private readonly ListOffice _office;
    private readonly QueueRegistry _queues;
    private readonly StoreCap _cap;
    private readonly AppendRouter _appends;
    private readonly StoreSearch _search;
    private bool _isKnown;   // once true, it stays until the lists are another holder's: whoever asks may set it
    private long? _nextTerm; // the office begins with it as soon as no step of the office before runs any more

    public StoreSet(IEventStoreSelector stores, Ledger ledger, DeliveryOptions options, AsyncSignal signal, TimeProvider time, ILogger logger)
    {
        (_stores, _options) = (stores, options);
        Drain = new EventLog(ledger, WaitingPlace.Fallback, long.MaxValue);
        _office = new ListOffice(time);
        _queues = new QueueRegistry(Drain, ledger, _office, options, signal, time, logger);
        _cap = new StoreCap(_queues);
        _appends = new AppendRouter(stores, _queues, _cap, options, time, logger);
        _search = new StoreSearch(stores, options.Random, signal, time, logger);
        foreach (var store in stores.Always) _queues.Of(store, store.IsCapped ? EpochAssigner.FoundInList : EpochAssigner.FoundInSpool);
    }

    /// <summary>Entries read from the stores and not yet settled; they stay there until they are.</summary>
    public EventLog Drain { get; }

    /// <summary>The queue of each store; empty ones too.</summary>
    public IReadOnlyList<FallbackQueue> Queues => _queues.All;

    /// <summary>Entries in the stores by the books; those that are being sent included.</summary>
    public long Length => _queues.Length;

    /// <summary>Entries at the fronts of the stores that are also in the drain log.</summary>
    public long ReadAheadCount => _queues.All.Sum(queue => queue.ReadAheadCount);

    /// <summary>Whether a step runs whose end is worth waiting for.</summary>
    public bool IsBusy => _queues.Any(static queue => queue.IsBusy && !queue.IsAway);

    /// <summary>The steps under way, for tests that wait for them.</summary>
    internal Task Running => Task.WhenAll([.. _queues.All.Select(queue => queue.Running), _search.Running]);

    /// <summary>Whether there are any, or such whose outcome has not been taken in; for the same tests.</summary>
    internal bool HasSteps => _search.IsRunning || _queues.All.Any(queue => queue.IsBusy || queue.IsEnding);

    /// <summary>Whether this program delivers. Only one member of the group does, and only that one uses the lists. Written by the delivery loop; others read it as it is.</summary>
    public bool IsHolder => _office.IsHeld && _stores.MayDeliver;

    /// <summary>Whether another member of the group delivers, and this one is not about to.</summary>
    public bool IsStandby => !_office.IsHeld && _nextTerm is null;

    /// <summary>Whether the lists may be used. Any thread may read it.</summary>
    public ListOffice Office => _office;

    /// <summary>Whether it is known what earlier runs left.</summary>
    public bool IsKnown => _isKnown || (IsHolder ? (_isKnown = IsFound && AreCounted) : AreCounted);

    public string? LastRefusal => _search.Fault ?? _queues.All.Select(queue => queue.LastRefusal).FirstOrDefault(text => text is not null);

    public long Refusals => _queues.All.Sum(queue => queue.Refusals);

    /// <summary>Whether it will soon be known what earlier runs left. A store that has not answered for long is not waited for, nor is a search that fails for long.</summary>
    public bool IsCountAwaited => !IsKnown && (IsSearchAwaited || _queues.Any(static queue => !queue.IsKnown && !queue.IsAway));

    private bool IsSearchAwaited => IsHolder && !IsFound && !_search.IsAway;

    private bool IsFound => _stores.IsSearched && !_search.IsRunning;

    private bool AreCounted => _queues.All.All(queue => queue.IsKnown);

    /// <summary>Whether nothing is in the stores, and all that was read from them is settled. A store that has not answered for long does not count.</summary>
    public bool IsEmpty => !_queues.Any(static queue => !queue.IsEmpty && !queue.IsAway);

    /// <summary>Whether events are on their way from memory into the stores.</summary>
    public bool HasAppendPending => _appends.HasPending;

    /// <summary>Whether more events may be moved from memory into the stores.</summary>
    /// <param name="atOnce">Even when the last ones were refused a moment ago.</param>
    public bool MayAppend(bool atOnce = false) => _appends.MayStart(atOnce);

    /// <summary>Takes the outcomes of finished steps in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        var any = false;
        if (_search.TakeOutcome() is { } found)
        {
            any = true;
            foreach (var store in found) _queues.Of(store);
        }

        foreach (var queue in _queues.All) any |= queue.TakeOutcome();
        if (any) BeginOffice();
        return any;
    }

    /// <summary>This program delivers from now on: the lists are counted, as after a start, and used. While it does so already, only the term rises.</summary>
    public void Hold(long term)
    {
        _nextTerm = Math.Max(term, _nextTerm ?? 0);
        BeginOffice();
    }

    /// <summary>Another member of the group delivers from now on: what is on its way into the stores is given up, and no list is touched any more.</summary>
    public void HandOver()
    {
        (_nextTerm, _isKnown) = (null, false);
        _office.End();
        foreach (var queue in _queues.All) queue.HandOver();
        _appends.Abandon();
        _appends.ForgetRefusals();
        _cap.Forget();
        _search.Forget();
        Drain.UnclaimAll();
    }

    /// <summary>Tries failed steps again when their time has come, or puts their events elsewhere, and starts what waits for a store.</summary>
    /// <param name="cap">Of all lists together; 0: none; negative: the lists are switched off.</param>
    /// <param name="isPressed">Whether no store can be waited for, because memory fills up or the program ends.</param>
    public void Continue(long cap, bool isPressed)
    {
        FollowOwners();
        _cap.Update(cap);
        foreach (var queue in _queues.All) queue.RetryIfDue();
        _appends.Continue(isPressed);
        _cap.MakeRoom();
    }

    /// <summary>Lists that belong to another member from now on are left to it, and those that belong to this one are looked for.</summary>
    private void FollowOwners()
    {
        if (!_office.IsHeld) return;

        foreach (var queue in _queues.All)
        {
            if (!queue.HasBeenLost()) continue;

            _appends.Abandon();
            queue.HandOver();
        }

        if (!_search.IsRunning && _stores.HasNews()) _isKnown = false;
    }

    /// <summary>Finds out what earlier runs left.</summary>
    public void StartCount()
    {
        StartCounts();
        if (IsHolder) _search.StartIfDue();
    }

    /// <summary>Counts stores in which nothing was done for a while, to notice what others did to them.</summary>
    public void LookAgain()
    {
        foreach (var queue in _queues.All) queue.LookAfter(LookEvery);
    }

    /// <summary>Moves the oldest waiting events from memory to the ends of the stores.</summary>
    public void StartAppend(EventLog from, long cap)
    {
        _cap.BeginStoring(cap);
        _appends.Start(from);
    }

    /// <summary>Gives up what is on its way into the stores. What of it has arrived will be found there again, with equal ids.</summary>
    public void AbandonAppend() => _appends.Abandon();

    /// <summary>Gives up, for a while, what the stores have refused. A full storage can then be read, which makes room in it.</summary>
    public void GiveRefusedAppendBack() => _appends.GiveRefusedBack();

    /// <summary>Reads more into the drain log where it has room: entries of the oldest epoch only, from all stores that have such.</summary>
    public void StartReads()
    {
        StartCounts(); // a store that has not been counted yet may hold the oldest entries of all
        var unread = _queues.All.Where(queue => queue.Unread.Count > 0 && !queue.IsAway).ToList();
        if (unread.Count == 0 || Drain.Count > _options.ReadAhead || Drain.Bytes > _options.WindowBytes || _queues.All.Any(queue => !queue.IsKnown && !queue.IsAway))
        {
            return;
        }

        // A batch of an older epoch that is still on its way into its store has to be read first.
        var epoch = Math.Min(unread.Min(queue => queue.Unread.First.Epoch), _appends.OldestPendingEpoch);
        foreach (var queue in unread.Where(queue => queue.MayStart && queue.Unread.First.Epoch == epoch))
        {
            queue.StartRead((int)Math.Min(_options.StoreBatch, queue.Unread.First.Count));
        }
    }

    /// <summary>Whether a batch can leave a store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part = false) => _queues.All.Any(queue => queue.HasRemovable(part) && !queue.IsAway);

    /// <summary>Removes what is settled from the fronts of the stores.</summary>
    public void StartRemoves(bool part)
    {
        foreach (var queue in _queues.All.Where(queue => queue.MayStart && queue.HasRemovable(part))) queue.StartRemove(part);
    }

    /// <summary>Steps and searches of the office before end first: they must not run with the new term.</summary>
    private void BeginOffice()
    {
        if (_nextTerm is not { } term || _search.IsEnding || _queues.Any(static queue => queue.IsCapped && queue.IsEnding)) return;

        // Who begins anew without having left office may have been set aside in between, and does not know it.
        var mayHaveBeenSetAside = _office.IsHeld && term > _stores.Fence.Term;
        _nextTerm = null;
        _stores.Fence.Raise(term);
        _office.Begin();
        foreach (var queue in _queues.All)
        {
            queue.RetryIfFenced();
            if (mayHaveBeenSetAside && queue.IsCapped) queue.CountFirst();
        }

        if (!mayHaveBeenSetAside) return;

        _isKnown = false;
        _search.Forget();
    }

    private void StartCounts()
    {
        foreach (var queue in _queues.All.Where(queue => !queue.IsKnown && queue.MayStart)) queue.StartCount();
    }
}
