using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>
/// What is in one store, what of it is being sent, and is the list still what it should be? One step (append,
/// read, remove) runs at a time; the delivery loop starts steps and takes their outcome in, and never waits for one. After each
/// step the length of the list is compared with the books, so a loss (eviction, FLUSHALL, restart) is noticed and counted.
/// Used by the delivery loop only, by way of <see cref="StoreSet"/>.
/// </summary>
internal sealed class StoreKeeper
{
    /// <summary>Failures in a row after which a step that may have been done counts as not done.</summary>
    private const int UnansweredTries = 3;

    private readonly NamedStore _named;
    private readonly IEventStore _store;
    private readonly EventLog _drain;
    private readonly int _foundTurn;
    private readonly Ledger _ledger;
    private readonly AsyncSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private readonly Queue<DrainBatch> _batches = new();
    private Task? _running;
    private Func<bool, Task<Action>>? _step; // the step under way, or the one that failed and will be tried again
    private Action? _takeOutcome;
    private AppendBatch? _append;
    private (int Turn, long Count) _givenUp; // a batch that may have arrived all the same
    private long _notBefore;
    private long _refusesUntil;
    private long _succeededAt;
    private long _failingSince;
    private bool _isPassing; // the last refusal says itself that it is for a moment
    private bool _mayBeDone; // a try of the step under way ended without an answer

    /// <param name="drain">Where what is read goes; shared by all stores.</param>
    /// <param name="foundTurn">The turn of what an earlier run left there.</param>
    public StoreKeeper(NamedStore store, EventLog drain, int foundTurn, Ledger ledger, AsyncSignal signal, TimeProvider time, ILogger logger)
    {
        (_named, _store, _drain, _foundTurn, _ledger, _signal, _time, _logger) = (store, store.Store, drain, foundTurn, ledger, signal, time, logger);
        _succeededAt = time.GetTimestamp();
    }

    /// <summary>Whether the cap concerns it.</summary>
    public bool IsCapped => _named.IsCapped;

    public string Name => _named.Name;

    /// <summary>Where it is at the moment, for people.</summary>
    public string Place => _named.Place();

    /// <summary>Entries not read yet: <see cref="Length"/> without <see cref="Claimed"/>.</summary>
    public StoreRuns Unread { get; } = new();

    /// <summary>Entries in the list by the books; those that are being sent included.</summary>
    public long Length { get; private set; }

    /// <summary>Entries at the front of the list that are also in the drain log.</summary>
    public long Claimed { get; private set; }

    public bool IsBusy => _running is not null;

    /// <summary>The step under way, for tests that wait for it.</summary>
    internal Task Running => _running ?? Task.CompletedTask;

    /// <summary>Whether the length was read at least once.</summary>
    public bool IsKnown { get; private set; }

    public string? LastRefusal { get; private set; }

    public long Refusals { get; private set; }

    /// <summary>Nothing in the list, nothing read from it and not settled.</summary>
    public bool IsEmpty => Length == 0 && _batches.Count == 0;

    /// <summary>Whether a new step may start: none runs, and none waits to be tried again.</summary>
    public bool MayStart => _running is null && _step is null;

    /// <summary>When the step that failed is tried again.</summary>
    public long NotBefore => _notBefore;

    /// <summary>How long every step has failed; zero where the last one was done.</summary>
    public TimeSpan FailingFor => _backoff.Failures == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_failingSince);

    /// <summary>It has not taken what was meant for it, a moment ago or again and again.</summary>
    public bool IsRefusing => _time.GetTimestamp() < _refusesUntil || _backoff.Failures >= UnansweredTries;

    /// <summary>Tries a failed step again, when its time has come, before any other: it may have been done all the same, which only its repetition can tell.</summary>
    public void RetryIfDue()
    {
        if (_running is null && _step is not null && _time.GetTimestamp() >= _notBefore)
            Run(isRetry: true);
    }

    /// <summary>Reads the length, for the first time: what is there was left by somebody.</summary>
    public void StartCount() => Start(async _ =>
    {
        var length = await _store.CountAsync().ConfigureAwait(false);
        return () => Reconcile(length);
    });

    /// <summary>Asks for the length again when nothing was done for a while: what has become of the list, or of its node, is noticed all the same.</summary>
    public void LookAfter(TimeSpan idle)
    {
        if (MayStart && Length > 0 && _time.GetElapsedTime(_succeededAt) >= idle)
            StartCount();
    }

    /// <summary>Appends a batch at the end of the list.</summary>
    public void StartAppend(AppendBatch batch, long cap)
    {
        _append = batch;
        Start(async isRetry =>
        {
            var result = await _store.AppendAsync(batch.Stored, cap, isRetry).ConfigureAwait(false);
            return () => Appended(batch, result);
        });
    }

    /// <summary>So many of the oldest are about to be dropped; the books still have them.</summary>
    public long Trimming { get; private set; }

    /// <summary>Drops the oldest.</summary>
    /// <param name="count">At least 1, and not all.</param>
    public void StartTrim(long count)
    {
        Trimming = count;
        var left = Length - count;
        Start(async _ =>
        {
            var result = await _store.AppendAsync([], left, isRetry: false).ConfigureAwait(false);
            return () =>
            {
                Trimming = 0;
                Capped(result);
            };
        });
    }

    /// <summary>Whether a batch is on its way into the list, or was refused and will be tried again.</summary>
    public bool HasAppendPending => _append is not null;

    /// <summary>That batch.</summary>
    public AppendBatch? Pending => _append;

    /// <summary>
    /// Whether a batch has failed to get into the list and may be given to somebody else. One that may have been done is first tried some times more: given back, it would be
    /// sent twice, with equal ids, and hide as many from a flush of the list that nobody has noticed yet.
    /// </summary>
    public bool MayGiveAppendBack => _running is null && _step is not null && _append is not null && (!_mayBeDone || _backoff.Failures >= UnansweredTries);

    /// <summary>The same, but one that was refused for a moment only is tried again here.</summary>
    public bool MayGoElsewhere => MayGiveAppendBack && (!_isPassing || _backoff.Failures >= UnansweredTries);

    /// <summary>Gives the batch up that is on its way; what of it arrived will be found in the list again, with equal ids.</summary>
    public AppendBatch? GiveAppendBack()
    {
        if (_append is not { } batch)
            return null;

        _givenUp = _mayBeDone ? (batch.Turn, batch.Entries.Count) : default;
        (_step, _append) = (null, null);
        return batch;
    }

    /// <summary>For so long nothing is meant for it; whether it answers is found out meanwhile.</summary>
    public void RefuseFor(TimeSpan span)
    {
        _refusesUntil = _time.GetTimestamp() + (long)(span.TotalSeconds * _time.TimestampFrequency);
        if (MayStart)
            StartCount();
    }

    /// <summary>Reads the next entries behind what is already being sent.</summary>
    public void StartRead(int most) => Start(async _ =>
    {
        var result = await _store.ReadAsync(Claimed, most).ConfigureAwait(false);
        return () => Taken(result);
    });

    /// <summary>Whether the oldest batch can leave the list: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part = false) =>
        _batches.TryPeek(out var batch) && _drain.SettledFrom(batch.FirstSequence, batch.LastSequence) is var settled && (settled == batch.Entries.Count || (part && settled > 0));

    /// <summary>Removes the settled front of the oldest batch from the list.</summary>
    public void StartRemove()
    {
        var batch = _batches.Peek();
        var settled = (int)_drain.SettledFrom(batch.FirstSequence, batch.LastSequence);
        ReadOnlyMemory<byte>[] entries = [.. batch.Entries.Take(settled)];
        Start(async isRetry =>
        {
            var result = await _store.RemoveAsync(entries, isRetry ? Length : null).ConfigureAwait(false);
            return () => Removed(result, settled);
        });
    }

    /// <summary>Takes the outcome of a finished step in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        if (_running is not { IsCompleted: true })
            return false;

        _running = null;
        _takeOutcome?.Invoke();
        _takeOutcome = null;
        return true;
    }

    private void Start(Func<bool, Task<Action>> step)
    {
        (_step, _mayBeDone) = (step, false);
        Run(isRetry: false);
    }

    private void Run(bool isRetry)
    {
        _running = RunAsync(_step!, isRetry);
        _ = _running.ContinueWith(static (_, s) => ((AsyncSignal)s!).Set(), _signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(Func<bool, Task<Action>> step, bool isRetry)
    {
        await Task.Yield(); // the loop never runs the store's code on its own time
        try
        {
            var outcome = await step(isRetry).ConfigureAwait(false);
            _takeOutcome = () =>
            {
                Succeeded();
                outcome();
            };
        }
        catch (StoreException e)
        {
            _takeOutcome = () => Refused(e.Message, e.IsRefusal, e.IsPassing);
        }
        catch (Exception e)
        {
            _takeOutcome = () => Refused($"unexpected: {e.Message}", isAnswer: false, isPassing: false);
        }
    }

    private void Succeeded()
    {
        _step = null;
        _succeededAt = _time.GetTimestamp();
        IsKnown = true;
        LastRefusal = null;
        _backoff.Reset();
    }

    private void Refused(string reason, bool isAnswer, bool isPassing)
    {
        _isPassing = isPassing;
        Refusals++;
        if (_backoff.Failures == 0)
            _failingSince = _time.GetTimestamp();
        _mayBeDone |= !isAnswer;
        LastRefusal = reason;
        var delay = _backoff.Next();
        _notBefore = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
        if (_backoff.Failures is 1 or 10 || _backoff.Failures % 100 == 0)
            DeliveryLog.StoreRefused(_logger, reason, (int)delay.TotalMilliseconds);
    }

    private void Appended(AppendBatch batch, AppendResult result)
    {
        batch.Settle();
        _append = null;
        Length += batch.Entries.Count;
        Unread.Add(batch.Turn, batch.Entries.Count);
        Capped(result);
    }

    private void Capped(AppendResult result)
    {
        if (result.Trimmed > 0)
        {
            var dropped = LeaveFront(result.Trimmed);
            _ledger.DroppedFromFallback(DropReason.FallbackCap, dropped);
        }

        Reconcile(result.Length);
    }

    private void Taken(ReadResult result)
    {
        Reconcile(result.Length);
        if (result.Entries.Count == 0)
            return;

        long first = -1, last = -1;
        foreach (var entry in result.Entries)
        {
            last = _drain.Append(entry.Span, LogEntry.IdLengthOf(entry.Span), 0);
            if (first < 0)
                first = last;
        }

        Claimed += result.Entries.Count;
        Unread.TakeFront(result.Entries.Count);
        _batches.Enqueue(new DrainBatch(result.Entries, first, last));
    }

    private void Removed(RemoveResult result, int settled)
    {
        var batch = _batches.Peek();
        if (settled == batch.Entries.Count)
            _batches.Dequeue();
        else
            batch.CutFront(settled);

        // Removed may say more than was claimed: a flush between two tries of this step looks like the first try having arrived.
        CountLost(LeaveFront(result.Removed));
        Reconcile(result.Length);
        var stillThere = Claimed - _batches.Sum(b => b.Entries.Count);
        if (stillThere <= 0)
            return;

        Unread.AddInFront(_foundTurn, stillThere);
        Claimed -= stillThere; // settled, but still in the list: it is read, and sent, and counted, once more
        _ledger.Adopted(stillThere);
        DeliveryLog.StoreAdopted(_logger, stillThere);
    }

    /// <summary>Entries left the front of the list without us; those that are in the drain log are not lost.</summary>
    private long LeaveFront(long count)
    {
        var safe = Math.Min(count, Claimed);
        Claimed -= safe;
        Length -= count;
        Unread.TakeFront(count - safe);
        return count - safe;
    }

    private void Reconcile(long actual)
    {
        if (actual > Length)
        {
            var found = actual - Length;
            Length = actual;
            if (found <= _givenUp.Count)
                Unread.Add(_givenUp.Turn, found); // it had arrived after all
            else
                Unread.AddInFront(_foundTurn, found);
            _ledger.Adopted(found);
            DeliveryLog.StoreAdopted(_logger, found);
        }
        else if (actual < Length)
        {
            CountLost(LeaveFront(Length - actual));
        }

        _givenUp = default;
    }

    private void CountLost(long lost)
    {
        if (lost == 0)
            return;

        _ledger.DroppedFromFallback(DropReason.FallbackLost, lost);
        DeliveryLog.StoreLost(_logger, lost);
    }
}
