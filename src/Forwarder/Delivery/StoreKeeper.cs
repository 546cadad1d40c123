using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>
/// What is in the fallback storage, what of it is being sent, and is the list still what it should be? One step (append,
/// read, remove) runs at a time; the delivery loop starts steps and takes their outcome in, and never waits for one. After each
/// step the length of the list is compared with the books, so a loss (eviction, FLUSHALL, restart) is noticed and counted.
/// Used by the delivery loop only.
/// </summary>
internal sealed class StoreKeeper
{
    private readonly IEventStore _store;
    private readonly Ledger _ledger;
    private readonly DeliveryOptions _options;
    private readonly AsyncSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private readonly Queue<DrainBatch> _batches = new();
    private readonly List<ReadOnlyMemory<byte>> _appendEntries = [];
    private readonly List<long> _appendSequences = [];
    private Task? _running;
    private Func<bool, Task<Action>>? _step; // the step under way, or the one that failed and will be tried again
    private Action? _takeOutcome;
    private EventLog? _appendFrom;
    private long _notBefore;
    private long _noAppendBefore;
    private bool _mayBeDone; // a try of the step under way ended without an answer

    public StoreKeeper(IEventStore store, Ledger ledger, DeliveryOptions options, AsyncSignal signal, TimeProvider time, ILogger logger)
    {
        (_store, _ledger, _options, _signal, _time, _logger) = (store, ledger, options, signal, time, logger);
        Drain = new EventLog(ledger, WaitingPlace.Fallback, long.MaxValue);
    }

    /// <summary>Entries read from the list and not yet settled; they stay in the list until they are.</summary>
    public EventLog Drain { get; }

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

    /// <summary>Whether an append may start: it also waits for its time when one was refused and given back.</summary>
    public bool MayAppend => MayStart && _time.GetTimestamp() >= _noAppendBefore;

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

    /// <summary>Moves a batch of the oldest waiting events from memory to the end of the list.</summary>
    public void StartAppend(EventLog from, long cap)
    {
        var bytes = 0;
        while (_appendSequences.Count < _options.StoreBatch && bytes < _options.StoreBatchBytes && from.TryClaim(out var entry))
        {
            // A copy: a step that timed out may still be on its way in the client library when these entries are long settled.
            _appendEntries.Add(entry.Stored.ToArray());
            _appendSequences.Add(entry.Sequence);
            bytes += entry.Stored.Length;
        }

        _appendFrom = from;
        if (_appendSequences.Count == 0)
            return;

        Start(async isRetry =>
        {
            var result = await _store.AppendAsync(_appendEntries, cap, isRetry).ConfigureAwait(false);
            return () => Appended(result);
        });
    }

    /// <summary>Whether a batch is on its way into the list, or was refused and will be tried again.</summary>
    public bool HasAppendPending => _appendSequences.Count > 0;

    /// <summary>Reads the next batch behind what is already being sent.</summary>
    public void StartRead() => Start(async _ =>
    {
        var result = await _store.ReadAsync(Claimed, _options.StoreBatch).ConfigureAwait(false);
        return () => Taken(result);
    });

    /// <summary>Gives the batch up that is on its way; what of it arrived will be found in the list again, with equal ids.</summary>
    public void AbandonAppend()
    {
        if (!HasAppendPending)
            return;

        _step = null;
        _appendSequences.Clear();
        _appendEntries.Clear();
        _appendFrom?.UnclaimAll();
    }

    /// <summary>A storage that is full must not keep what is in it from being read, which makes room: a refused append goes back to memory, for later.</summary>
    public void GiveRefusedAppendBack()
    {
        // One that may have been done is first tried some times more: given back, it would be sent twice, with equal ids, and hide as many from a
        // flush of the list that nobody has noticed yet.
        if (_running is null && _step is not null && HasAppendPending && (!_mayBeDone || _backoff.Failures >= 3))
        {
            AbandonAppend();
            _noAppendBefore = _notBefore;
        }
    }

    /// <summary>Whether the oldest batch can leave the list: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part = false) =>
        _batches.TryPeek(out var batch) && Drain.SettledFrom(batch.FirstSequence, batch.LastSequence) is var settled && (settled == batch.Entries.Count || (part && settled > 0));

    /// <summary>Removes the settled front of the oldest batch from the list.</summary>
    public void StartRemove()
    {
        var batch = _batches.Peek();
        var settled = (int)Drain.SettledFrom(batch.FirstSequence, batch.LastSequence);
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
            _takeOutcome = () => Refused(e.Message, e.IsRefusal);
        }
        catch (Exception e)
        {
            _takeOutcome = () => Refused($"unexpected: {e.Message}", isAnswer: false);
        }
    }

    private void Succeeded()
    {
        _step = null;
        IsKnown = true;
        LastRefusal = null;
        _backoff.Reset();
    }

    private void Refused(string reason, bool isAnswer)
    {
        Refusals++;
        _mayBeDone |= !isAnswer;
        LastRefusal = reason;
        var delay = _backoff.Next();
        _notBefore = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
        if (_backoff.Failures is 1 or 10 || _backoff.Failures % 100 == 0)
            DeliveryLog.StoreRefused(_logger, reason, (int)delay.TotalMilliseconds);
    }

    private void Appended(AppendResult result)
    {
        foreach (var sequence in _appendSequences)
            _appendFrom!.Settle(sequence, Settlement.Stored);

        Length += _appendSequences.Count;
        _appendSequences.Clear();
        _appendEntries.Clear();

        if (result.Trimmed > 0)
        {
            var dropped = LeaveFront(result.Trimmed);
            _ledger.DroppedFromFallback(DropReason.FallbackCap, dropped);
            DeliveryLog.StoreCapped(_logger, dropped);
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
            last = Drain.Append(entry.Span, LogEntry.IdLengthOf(entry.Span), 0);
            if (first < 0)
                first = last;
        }

        Claimed += result.Entries.Count;
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
        return count - safe;
    }

    private void Reconcile(long actual)
    {
        if (actual > Length)
        {
            var found = actual - Length;
            Length = actual;
            _ledger.Adopted(found);
            DeliveryLog.StoreAdopted(_logger, found);
        }
        else if (actual < Length)
        {
            CountLost(LeaveFront(Length - actual));
        }
    }

    private void CountLost(long lost)
    {
        if (lost == 0)
            return;

        _ledger.DroppedFromFallback(DropReason.FallbackLost, lost);
        DeliveryLog.StoreLost(_logger, lost);
    }
}
