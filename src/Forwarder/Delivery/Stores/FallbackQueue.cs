using System.Runtime.ExceptionServices;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// Which step of one store runs, and when is one that failed tried again? One step (append, read, remove) runs at a time; the
/// delivery loop starts steps and takes their outcome in, and never waits for one. What the steps mean for the store's contents is
/// for <see cref="StoreAccounting"/>. Used by the delivery loop only, by way of <see cref="StoreSet"/>.
/// </summary>
internal sealed class FallbackQueue
{
    /// <summary>Failures in a row after which a step that may have been done counts as not done.</summary>
    private const int UnansweredTries = 3;

    /// <summary>How long newer events, and other stores, wait for one that does not answer: longer than a failover takes. What it holds goes out when it is back.</summary>
    private static readonly TimeSpan SilenceWaitedFor = TimeSpan.FromSeconds(30);

    /// <summary>The same for one that answers, and refuses: a right that was taken away, or another kind of value under its key.</summary>
    private static readonly TimeSpan RefusalWaitedFor = TimeSpan.FromSeconds(5);

    private const int TriesWaitedFor = 5;

    /// <summary>Bytes of the front of the store, in batches, that are compared with what is being sent. What lies behind them is read, and sent, again.</summary>
    private const int LocateBatches = 4;

    private readonly NamedStore _named;
    private readonly IEventStore _store;
    private readonly DeliveryOptions _options;
    private readonly StoreAccounting _books;
    private readonly AsyncSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private Task? _running;
    private Func<bool, Task<Action>>? _step; // the step under way, or the one that failed and will be tried again
    private Action? _takeOutcome;
    private AppendBatch? _append;
    private long _notBefore;
    private long _refusesUntil;
    private long _succeededAt;
    private long _unreadableSince; // 0: it is readable
    private bool _isAnswer;  // the store said no itself, the last time
    private bool _isPassing; // and that it is for a moment
    private bool _mayBeDone; // a try of the step under way ended without an answer

    public FallbackQueue(NamedStore store, StoreAccounting books, DeliveryOptions options, AsyncSignal signal, TimeProvider time, ILogger logger)
    {
        (_named, _store, _books, _options, _signal, _time, _logger) = (store, store.Store, books, options, signal, time, logger);
        _succeededAt = time.GetTimestamp();
    }

    /// <summary>Whether the cap concerns it.</summary>
    public bool IsCapped => _named.IsCapped;

    public string Name => _named.Name;

    /// <summary>Where it is at the moment, for people.</summary>
    public string Place => _named.Place();

    /// <summary>Entries not read yet: <see cref="Length"/> without <see cref="ReadAheadCount"/>.</summary>
    public UnreadByEpoch Unread => _books.Unread;

    /// <summary>Entries in the store by the books; those that are being sent included.</summary>
    public long Length => _books.Length;

    /// <summary>Entries at the front of the store that are also in the drain log.</summary>
    public long ReadAheadCount => _books.ReadAheadCount;

    public bool IsBusy => _running is not null;

    /// <summary>The step under way, for tests that wait for it.</summary>
    internal Task Running => _running ?? Task.CompletedTask;

    /// <summary>Whether the length was read at least once.</summary>
    public bool IsKnown { get; private set; }

    public string? LastRefusal { get; private set; }

    public long Refusals { get; private set; }

    /// <summary>Nothing in the store, nothing read from it and not settled.</summary>
    public bool IsEmpty => _books.IsEmpty;

    /// <summary>Whether a new step may start: none runs, and none waits to be tried again.</summary>
    public bool MayStart => _running is null && _step is null;

    /// <summary>When the step that failed is tried again.</summary>
    public long NotBefore => _notBefore;

    /// <summary>
    /// Whether it is not waited for: for long, and at several tries, it has not let itself be counted, read or removed from. One that takes no more can still be read.
    /// </summary>
    public bool IsAway
    {
        get
        {
            var waitedFor = _isAnswer && !_isPassing ? RefusalWaitedFor : SilenceWaitedFor;
            return _append is null && _unreadableSince != 0 && _backoff.Failures >= TriesWaitedFor && _time.GetElapsedTime(_unreadableSince) > waitedFor;
        }
    }

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
        return () => _books.Counted(length);
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
            return () =>
            {
                _append = null;
                _books.Appended(batch, cap, result, isRetry);
            };
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
        Start(async isRetry =>
        {
            var result = await _store.AppendAsync([], left, isRetry).ConfigureAwait(false);
            return () =>
            {
                Trimming = 0;
                _books.Capped(0, left, result, isRetry);
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
    public bool MayRedirect => MayGiveAppendBack && (!_isPassing || _backoff.Failures >= UnansweredTries);

    /// <summary>Gives the batch up that is on its way; what of it arrived will be found in the list again, with equal ids.</summary>
    public AppendBatch? GiveAppendBack()
    {
        if (_append is not { } batch)
            return null;

        if (_mayBeDone)
            _books.GivenUp(batch);
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
    public void StartRead(int most)
    {
        var (offset, before) = (ReadAheadCount, _books.Ends); // the step runs beside the loop, whose the books are
        Start(async _ =>
        {
            var result = await _store.ReadAsync(offset, before, most, _options.StoreBatchBytes).ConfigureAwait(false);
            return () => _books.Read(result);
        });
    }

    /// <summary>Whether the oldest batch can leave the store: all of it, or with <paramref name="part"/> its settled front.</summary>
    public bool HasRemovable(bool part) => _books.Removable(part).Count > 0;

    /// <summary>Removes the settled front of the oldest batch from the store.</summary>
    public void StartRemove(bool part)
    {
        var entries = _books.Removable(part);
        var length = Length;
        Start(async isRetry =>
        {
            var result = await _store.RemoveAsync(entries, isRetry ? length : null).ConfigureAwait(false);
            return () => _books.Removed(result, entries.Count);
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
        if (_books.NeedsLocating && MayStart)
            StartLocate();
        return true;
    }

    /// <summary>Finds out how the store begins, where it is not as it should be.</summary>
    private void StartLocate()
    {
        int claimed = (int)ReadAheadCount;
        Start(async _ =>
        {
            var result = await _store.ReadAsync(0, null, claimed, LocateBatches * _options.StoreBatchBytes).ConfigureAwait(false);
            return () => _books.Located(result);
        });
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
            _takeOutcome = () => ExceptionDispatchInfo.Throw(e); // a fault in the program: the loop ends with it
        }
    }

    private void Succeeded()
    {
        _step = null;
        _succeededAt = _time.GetTimestamp();
        IsKnown = true;
        LastRefusal = null;
        _unreadableSince = 0;
        _backoff.Reset();
    }

    private void Refused(string reason, bool isAnswer, bool isPassing)
    {
        (_isAnswer, _isPassing) = (isAnswer, isPassing);
        Refusals++;
        if (_append is null && _unreadableSince == 0)
            _unreadableSince = _time.GetTimestamp();
        _mayBeDone |= !isAnswer;
        LastRefusal = reason;
        var delay = _backoff.Next();
        _notBefore = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
        if (_backoff.Failures is 1 or 10 || _backoff.Failures % 100 == 0)
            StoreLog.StoreRefused(_logger, reason, (int)delay.TotalMilliseconds);
    }
}
