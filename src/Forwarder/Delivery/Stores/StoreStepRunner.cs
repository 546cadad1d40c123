using System.Runtime.ExceptionServices;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which step of one store runs, and when is a failed one tried again?</summary>
/// <remarks>
/// One step (append, read, remove, count) runs at a time. The delivery loop starts it, is woken when it ends, and then takes its outcome in; it never waits for a step.
/// All fields belong to the delivery loop. A step runs beside it and touches none of them: its outcome is the result of its task.
/// </remarks>
internal sealed class StoreStepRunner(Random random, AsyncSignal signal, TimeProvider time, ILogger logger)
{
    /// <summary>Failures in a row after which a step that may have been done counts as not done.</summary>
    private const int UnansweredTries = 3;

    /// <summary>
    /// How long newer events and other stores wait for a store that does not answer. A failover takes less. What the store holds is sent when it is back.
    /// </summary>
    private static readonly TimeSpan SilenceWaitedFor = TimeSpan.FromSeconds(30);

    /// <summary>The same for a store that answers with an error, such as a missing right or another kind of value under the key.</summary>
    private static readonly TimeSpan RefusalWaitedFor = TimeSpan.FromSeconds(5);

    private const int TriesWaitedFor = 5;

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), random);
    private Task<Action>? _running;
    private Func<bool, Task<Action>>? _step; // the step under way, or the failed one that will be tried again
    private bool _isAppend;                  // what kind of step that is
    private bool _isGivenUp;                 // whatever becomes of the step under way is of no interest any more
    private bool _isLastAnswered;            // the last failure was an error that the store itself sent
    private long _succeededAt;               // 0: none has succeeded yet
    private long _unreadableSince;           // 0: the last step that was no append succeeded
    private long _failingSince;              // 0: the last step succeeded

    public bool IsBusy => _running is not null && !_isGivenUp;

    /// <summary>Whether a step still runs that was given up. No other may start before it has ended.</summary>
    public bool IsEnding => _running is not null && _isGivenUp;

    /// <summary>The step under way, for tests that wait for it.</summary>
    internal Task Running => _running ?? Task.CompletedTask;

    /// <summary>Whether a new step may start: none runs, and none waits to be tried again.</summary>
    public bool MayStart => _running is null && _step is null;

    /// <summary>Whether a step has failed and waits to be tried again.</summary>
    public bool HasFailed => _running is null && _step is not null;

    /// <summary>Whether the failed step may have been done all the same: one of its tries ended without an answer.</summary>
    public bool MayBeDone { get; private set; }

    /// <summary>Whether the last steps have failed, several in a row.</summary>
    public bool HasFailedOften => _backoff.Failures >= UnansweredTries;

    /// <summary>Whether the last failure was a refusal that said where else to ask, so that the next try may well succeed.</summary>
    public bool IsPassing { get; private set; }

    /// <summary>Whether the store is to be waited for: it does not answer, or refuses for a moment only, and has not done so for long. A failover takes less.</summary>
    public bool IsWaitedFor => _failingSince != 0 && (!_isLastAnswered || IsPassing) && time.GetElapsedTime(_failingSince) <= SilenceWaitedFor;

    /// <summary>The term of the member of the group that the last step was refused for; null: it was not refused for that.</summary>
    public long? FencedBy { get; private set; }

    /// <summary>When the failed step is tried again: a timestamp.</summary>
    public long NotBefore { get; private set; }

    /// <summary>Whether a step has ever succeeded. Written by the delivery loop; reports read it as it is.</summary>
    public bool HasSucceeded { get; private set; }

    /// <summary>What the last step failed with; null after a success. Written by the delivery loop; reports read it as it is.</summary>
    public string? LastRefusal { get; private set; }

    /// <summary>Failed tries so far. Written by the delivery loop; reports read it as it is.</summary>
    public long Refusals { get; private set; }

    /// <summary>
    /// Whether the store could not be counted, read or removed from for so long, and so often, that nothing waits for it any more. Appends do not count. Not if another member of the group
    /// has it: the group says soon whose events these are.
    /// </summary>
    public bool IsUnreadable
    {
        get
        {
            var waitedFor = _isLastAnswered && !IsPassing ? RefusalWaitedFor : SilenceWaitedFor;
            return FencedBy is null && _unreadableSince != 0 && _backoff.Failures >= TriesWaitedFor && time.GetElapsedTime(_unreadableSince) > waitedFor;
        }
    }

    /// <summary>Whether no step has succeeded for so long.</summary>
    public bool IsIdleFor(TimeSpan span) => time.GetElapsedTime(_succeededAt) >= span;

    /// <summary>Starts a step. Call it only when <see cref="MayStart"/>.</summary>
    /// <param name="step">Gets whether it is a retry, and runs beside the loop. The action that it returns is called by <see cref="TakeOutcome"/>, on the loop.</param>
    public void Start(Func<bool, Task<Action>> step, bool isAppend = false)
    {
        (_step, _isAppend, MayBeDone) = (step, isAppend, false);
        Run(isRetry: false);
    }

    /// <summary>Tries a failed step again when its time has come. No other step may start before: only its repetition tells whether it was done.</summary>
    public void RetryIfDue()
    {
        if (HasFailed && time.GetTimestamp() >= NotBefore) Run(isRetry: true);
    }

    /// <summary>A failed step is due at once.</summary>
    public void RetryAtOnce() => NotBefore = 0;

    /// <summary>The store is waited for as if its failures began now, and a failed step is due at once.</summary>
    public void WaitAnew()
    {
        _backoff.Reset();
        (_unreadableSince, _failingSince, NotBefore) = (0, 0, 0);
    }

    /// <summary>Forgets the failed step; it is not tried again. The outcome of one under way is ignored.</summary>
    public void GiveUp() => (_step, _isGivenUp) = (null, _running is not null);

    /// <summary>As if no step had ever been started: the store is another member's from here on. Failures so far stay counted.</summary>
    public void Forget()
    {
        GiveUp();
        _backoff.Reset();
        (_succeededAt, _unreadableSince, _failingSince, HasSucceeded, LastRefusal) = (0, 0, 0, false, null);
        (_isLastAnswered, MayBeDone, IsPassing, FencedBy) = (false, false, false, null);
    }

    /// <summary>Takes the outcome of a finished step in; false when none has finished.</summary>
    public bool TakeOutcome()
    {
        if (_running is not { IsCompleted: true } finished) return false;

        _running = null;
        finished.GetAwaiter().GetResult().Invoke(); // does not wait: the task is completed, and it never faults
        _isGivenUp = false;
        return true;
    }

    private void Run(bool isRetry)
    {
        _running = RunAsync(_step!, isRetry);
        _ = _running.ContinueWith(static (_, s) => ((AsyncSignal)s!).Set(), signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Never faults: what went wrong is an outcome too.</summary>
    private async Task<Action> RunAsync(Func<bool, Task<Action>> step, bool isRetry)
    {
        await Task.Yield(); // the loop does not spend its own time in the store's code
        try
        {
            var outcome = await step(isRetry).ConfigureAwait(false);
            return () => Succeeded(outcome);
        }
        catch (StoreException e)
        {
            return () => Failed(e);
        }
        catch (Exception e)
        {
            return () => ExceptionDispatchInfo.Throw(e); // a bug: the delivery loop ends with it
        }
    }

    private void Succeeded(Action outcome)
    {
        if (_isGivenUp) return;

        _step = null;
        _succeededAt = time.GetTimestamp();
        HasSucceeded = true;
        LastRefusal = null;
        (_unreadableSince, _failingSince) = (0, 0);
        FencedBy = null;
        _backoff.Reset();
        outcome();
    }

    private void Failed(StoreException failure)
    {
        if (_isGivenUp) return;

        (_isLastAnswered, IsPassing, FencedBy) = (failure.IsRefusal, failure.IsPassing, failure.FencedBy);
        Refusals++;
        if (_failingSince == 0) _failingSince = time.GetTimestamp();
        if (!_isAppend && _unreadableSince == 0) _unreadableSince = time.GetTimestamp();

        MayBeDone |= !failure.IsRefusal;
        LastRefusal = failure.Message;
        var delay = _backoff.Next();
        NotBefore = time.TimestampAfter(delay);
        if (_backoff.Failures is 1 or 10 || _backoff.Failures % 100 == 0)
        {
            StoreLog.StoreRefused(logger, failure.Message, (int)delay.TotalMilliseconds);
        }
    }
}
