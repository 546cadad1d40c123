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
/// whose master is away holds no other up; one round of events at a time goes from memory into all of them; and all are read into one drain log, in the order of their turns
/// (<see cref="EpochAssigner"/>), so that what leaves is in order. Used by the delivery loop only, apart from the sums.
/// </summary>
internal sealed class StoreSet
{
    /// <summary>How long a store that did not take something is left alone.</summary>
    private static readonly TimeSpan RefuseFor = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private const int ListTurn = 0;
    private const int PlaceBesidesTurn = 1;

    private readonly IEventStoreSelector _stores;
    private readonly Ledger _ledger;
    private readonly DeliveryOptions _options;
    private readonly AsyncSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<NamedStore, FallbackQueue> _keeperOf = [];
    private readonly List<(FallbackQueue Keeper, AppendBatch Batch)> _waiting = []; // parts of a round whose store is busy
    private readonly EpochAssigner? _order;
    private readonly Backoff _searchBackoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private volatile FallbackQueue[] _keepers = [];
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
            KeeperOf(store, store.IsCapped ? ListTurn : PlaceBesidesTurn);
    }

    /// <summary>Entries read from the stores and not yet settled; they stay there until they are.</summary>
    public EventLog Drain { get; }

    /// <summary>Each store; empty ones too.</summary>
    public IReadOnlyList<FallbackQueue> Keepers => _keepers;

    /// <summary>Entries in the stores by the books; those that are being sent included.</summary>
    public long Length
    {
        get
        {
            long length = 0;
            foreach (var keeper in _keepers)
                length += keeper.Length;
            return length;
        }
    }

    /// <summary>Entries at the fronts that are also in the drain log.</summary>
    public long Claimed => _keepers.Sum(keeper => keeper.Claimed);

    /// <summary>Whether a step runs whose end is to be waited for.</summary>
    public bool IsBusy => Any(static keeper => keeper.IsBusy && !keeper.IsAway);

    /// <summary>The steps under way, for tests that wait for them.</summary>
    internal Task Running => Task.WhenAll([.. _keepers.Select(keeper => keeper.Running), _search ?? Task.CompletedTask]);

    /// <summary>Whether there are any, or such whose outcome has not been taken in; for the same tests.</summary>
    internal bool HasSteps => _search is not null || _keepers.Any(keeper => keeper.IsBusy);

    /// <summary>Whether it is known what earlier runs left.</summary>
    public bool IsKnown => _isKnown || (_isKnown = _stores.IsSearched && _search is null && _keepers.All(keeper => keeper.IsKnown));

    public string? LastRefusal => _searchFault ?? _keepers.Select(keeper => keeper.LastRefusal).FirstOrDefault(text => text is not null);

    public long Refusals => _keepers.Sum(keeper => keeper.Refusals);

    /// <summary>Nothing in the stores, nothing read from them and not settled. What is where nobody answers for long is not waited for.</summary>
    public bool IsEmpty => !Any(static keeper => !keeper.IsEmpty && !keeper.IsAway);

    /// <summary>Whether a round is on its way into the stores, or a part of it was refused and will be tried again.</summary>
    public bool HasAppendPending => _waiting.Count > 0 || Any(static keeper => keeper.HasAppendPending);

    /// <summary>Whether a round may start.</summary>
    /// <param name="atOnce">Even when the last one was refused a moment ago.</param>
    public bool MayAppend(bool atOnce = false) =>
        !HasAppendPending && !IsOverCap && (_stores.IsMany || _keepers[0].MayStart) && (atOnce || _time.GetTimestamp() >= _noAppendBefore);

    /// <summary>Takes the outcomes of finished steps in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        bool any = TakeSearch();
        foreach (var keeper in _keepers)
            any |= keeper.TakeOutcome();
        return any;
    }

    /// <summary>Tries failed steps again when their time has come, or elsewhere, and starts what waits for a store.</summary>
    /// <param name="cap">Of all lists together; 0: none; negative: the lists are switched off.</param>
    public void Continue(long cap)
    {
        if (_hasStored)
            _cap = cap;
        foreach (var keeper in _keepers)
            keeper.RetryIfDue();
        if (_stores.IsMany)
        {
            foreach (var keeper in _keepers)
            {
                if (keeper.MayGoElsewhere)
                    GoElsewhere(keeper);
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
        foreach (var keeper in _keepers)
            keeper.LookAfter(LookEvery);
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

            var keeper = KeeperFor(entry);
            if (_order?.IsOfThisTurn(entry, keeper) == false)
            {
                // It must not get there before all that came earlier has a place.
                if (count > 0)
                {
                    from.Unclaim(entry.Sequence);
                    break;
                }

                _order.BeginTurn();
            }

            _order?.Note(entry, keeper);
            if (!parts.TryGetValue(keeper, out var batch))
                parts[keeper] = batch = new AppendBatch(from, _order?.Turn ?? ListTurn);
            batch.Add(entry);
            count++;
            bytes += entry.Stored.Length;
        }

        foreach (var (keeper, batch) in parts)
            _waiting.Add((keeper, batch));
        StartWaiting();
    }

    /// <summary>Gives the round up that is on its way; what of it arrived will be found in the stores again, with equal ids.</summary>
    public void AbandonAppend()
    {
        if (!HasAppendPending)
            return;

        foreach (var keeper in _keepers)
        {
            if (keeper.GiveAppendBack() is not null && _stores.IsMany)
                keeper.RefuseFor(RefuseFor);
        }

        _waiting.Clear();
        _from?.UnclaimAll();
    }

    /// <summary>A storage that is full must not keep what is in it from being read, which makes room: a refused round goes back to memory, for later.</summary>
    public void GiveRefusedAppendBack()
    {
        var pending = _keepers.Where(keeper => keeper.HasAppendPending).ToList();
        if (pending.Count == 0 || !pending.TrueForAll(keeper => keeper.MayGiveAppendBack))
            return;

        _noAppendBefore = pending.Max(keeper => keeper.NotBefore);
        AbandonAppend();
    }

    /// <summary>Reads on, where there is room for it: first what is of the oldest turn, in all stores.</summary>
    public void StartReads()
    {
        // What is in a store that has not been counted yet may be older than anything in the others.
        StartCounts();
        var unread = _keepers.Where(keeper => keeper.Unread.Count > 0 && !keeper.IsAway).ToList();
        if (unread.Count == 0 || Drain.Count > _options.ReadAhead || Drain.Bytes > _options.WindowBytes || _keepers.Any(keeper => !keeper.IsKnown && !keeper.IsAway))
            return;

        // What is of an older turn and not there yet is waited for as well.
        int turn = Math.Min(unread.Min(keeper => keeper.Unread.First.Turn), _waiting.Select(part => part.Batch).Concat(_keepers.Select(keeper => keeper.Pending).OfType<AppendBatch>())
            .Select(batch => batch.Turn).DefaultIfEmpty(int.MaxValue).Min());
        foreach (var keeper in unread.Where(keeper => keeper.MayStart && keeper.Unread.First.Turn == turn))
            keeper.StartRead((int)Math.Min(_options.StoreBatch, keeper.Unread.First.Count));
    }

    /// <summary>Whether a batch can leave a store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part = false) => _keepers.Any(keeper => keeper.HasRemovable(part) && !keeper.IsAway);

    /// <summary>Removes what is settled from the fronts.</summary>
    public void StartRemoves(bool part)
    {
        foreach (var keeper in _keepers.Where(keeper => keeper.MayStart && keeper.HasRemovable(part)))
            keeper.StartRemove(part);
    }

    private void StartCounts()
    {
        foreach (var keeper in _keepers.Where(keeper => !keeper.IsKnown && keeper.MayStart))
            keeper.StartCount();
    }

    private IEnumerable<FallbackQueue> Lists => _keepers.Where(keeper => keeper.IsCapped);

    private long ListLength => Lists.Sum(keeper => keeper.Length);

    /// <summary>With several lists the cap is that of all together: the longest one makes room.</summary>
    private bool IsOverCap => _cap > 0 && Length > _cap && ListLength > _cap && Lists.Any(keeper => keeper.Length > 1);

    /// <summary>What one is about to drop already, though it may take a while, is not dropped by another as well.</summary>
    private void MakeRoom()
    {
        if (!IsOverCap)
            return;

        long tooMany = ListLength - _cap - Lists.Sum(keeper => keeper.Trimming);
        if (tooMany > 0 && Lists.MaxBy(keeper => keeper.Length - keeper.Trimming) is { MayStart: true, Length: > 1 } longest)
            longest.StartTrim(Math.Min(Math.Min(tooMany, longest.Length - 1), StoreSteps.MostTrimmed(0)));
    }

    /// <summary>Without an allocation: asked at each turn of the loop.</summary>
    private bool Any(Func<FallbackQueue, bool> isSo)
    {
        foreach (var keeper in _keepers)
        {
            if (isSo(keeper))
                return true;
        }

        return false;
    }

    private FallbackQueue KeeperFor(in LogEntry entry)
    {
        if (_cap < 0 && _stores.WithoutLists is { } place)
            return KeeperOf(place);

        var keeper = KeeperOf(_stores.StoreOf(entry));
        return keeper.IsRefusing ? FindElsewhere(keeper) ?? keeper : keeper;
    }

    private FallbackQueue? FindElsewhere(FallbackQueue keeper) => _stores.Elsewhere.Select(store => KeeperOf(store)).FirstOrDefault(other => other != keeper && !other.IsRefusing);

    /// <summary>One that does not take its part: another one does, in a later turn.</summary>
    private void GoElsewhere(FallbackQueue keeper)
    {
        if (FindElsewhere(keeper) is not { } other || keeper.GiveAppendBack() is not { } batch)
            return;

        keeper.RefuseFor(RefuseFor);
        Redirect(batch, keeper, other);
    }

    /// <summary>Nothing newer of the same nodes and slots is stored yet, as a round is of one turn.</summary>
    private void Redirect(AppendBatch batch, FallbackQueue keeper, FallbackQueue other)
    {
        StoreLog.StoredElsewhere(_logger, batch.Entries.Count, keeper.Name, other.Name);
        _order!.BeginTurn();
        foreach (var entry in batch.Entries)
            _order.Note(entry, other);
        batch.Turn = _order.Turn;
        _waiting.Add((other, batch));
    }

    /// <summary>Starts the parts whose stores are ready, of one store in their order; one that waits for a store where every step fails goes elsewhere.</summary>
    private void StartWaiting()
    {
        for (int i = 0; i < _waiting.Count;)
        {
            var (keeper, batch) = _waiting[i];
            bool isNext = !_waiting.Take(i).Any(part => part.Keeper == keeper);
            if (isNext && keeper.MayStart)
            {
                keeper.StartAppend(batch, _stores.IsMany ? 0 : _cap); // of several lists not the one that is appended to makes room, but the longest
                _waiting.RemoveAt(i);
            }
            else if (isNext && keeper.IsRefusing && !keeper.HasAppendPending && FindElsewhere(keeper) is { } other)
            {
                _waiting.RemoveAt(i);
                Redirect(batch, keeper, other);
            }
            else
            {
                i++;
            }
        }
    }

    private FallbackQueue KeeperOf(NamedStore store, int foundTurn = ListTurn)
    {
        if (!_keeperOf.TryGetValue(store, out var keeper))
        {
            _keeperOf[store] = keeper = new FallbackQueue(store, new StoreAccounting(Drain, foundTurn, _ledger), _options, _signal, _time, _logger);
            _keepers = [.. _keepers, keeper];
        }

        return keeper;
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
            KeeperOf(store);
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
