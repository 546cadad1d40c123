using KeyEvt.Forwarder.Feed.Status;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Should requests to a node wait until its events are heard? One for each node; sessions ask it before they pass requests on.</summary>
/// <remarks>
/// Only a proxy between clients and Redis can do this: commands that are not passed on while nobody listens cannot be missed. The data path must not
/// depend on it for long. So a wait ends after <c>wait</c> in any case, for all waiting sessions at once. After that nobody waits until events have
/// been heard again, and not within ten seconds. Thread safe.
/// </remarks>
public sealed class CoverageGate
{
    private static readonly TimeSpan RestFor = TimeSpan.FromSeconds(10);

    /// <summary>Guards all fields. <see cref="_isHolding"/>, <see cref="_hurry"/> and the two counters are also read without it.</summary>
    private readonly Lock _gate = new();
    private readonly string _node;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile bool _isHolding;
    private volatile Action? _hurry;
    private TaskCompletionSource _released = new();
    private ITimer? _limit;
    private bool _isMissing;
    private bool _isOfReplica;
    private bool _hasRunOut; // and no events have been heard since
    private long _ranOutAt;
    private long _waits;
    private long _ranOut;

    /// <summary>For an upstream without events: never holds requests back.</summary>
    public static CoverageGate AlwaysOpen { get; } = new("", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);

    /// <param name="node">The node without secrets, for the log.</param>
    /// <param name="wait">How long requests wait at most; zero: they never wait.</param>
    internal CoverageGate(string node, TimeSpan wait, TimeProvider time, ILogger logger) => (_node, _wait, _time, _logger) = (node, wait, time, logger);

    /// <summary>Whether requests must wait. The only thing that is read for every request.</summary>
    public bool IsHolding => _isHolding;

    /// <summary>How often a session waited.</summary>
    internal long Waits => Volatile.Read(ref _waits);

    /// <summary>How often a wait ended before events were heard again.</summary>
    internal long RanOut => Volatile.Read(ref _ranOut);

    /// <summary>Whether events are neither sent nor stored. Then nobody waits for them.</summary>
    internal Func<bool> AreEventsOff { get; init; } = static () => false;

    /// <summary>Called when a session waits: the feed should not pause before its next attempt. Set by the node's feed when it is created; any session's thread reads it.</summary>
    internal Action? Hurry { get => _hurry; set => _hurry = value; }

    /// <summary>Whether the node is a replica, as far as is known. Then its writes are not those of clients.</summary>
    internal bool IsOfReplica
    {
        set
        {
            lock (_gate) _isOfReplica = value;
            Settle();
        }
    }

    /// <summary>Sets whether events are wanted and not heard.</summary>
    internal void Show(bool isMissing)
    {
        lock (_gate)
        {
            _isMissing = isMissing;
            _hasRunOut &= isMissing;
        }

        Settle();
    }

    /// <summary>Completes when requests may be passed on, at the latest after the longest wait.</summary>
    public Task WaitAsync()
    {
        Task released;
        lock (_gate)
        {
            if (!_isHolding || AreEventsOff()) return Task.CompletedTask;

            _waits++;
            var wait = _released;
            _limit ??= _time.CreateTimer(_ => RunOut(wait), null, _wait, Timeout.InfiniteTimeSpan);
            released = wait.Task;
        }

        Hurry?.Invoke();
        return released;
    }

    private void Settle()
    {
        lock (_gate)
        {
            var isDue = _isMissing && !_isOfReplica && !_hasRunOut && _wait > TimeSpan.Zero && (_ranOut == 0 || _time.GetElapsedTime(_ranOutAt) >= RestFor);
            if (isDue && !_isHolding)
            {
                _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _isHolding = true;
            }
            else if (!isDue && _isHolding)
            {
                Release();
            }
        }
    }

    /// <param name="wait">The wait that the timer belongs to. The timer may be late, so that another wait has begun.</param>
    private void RunOut(TaskCompletionSource wait)
    {
        lock (_gate)
        {
            if (!_isHolding || _released != wait) return;

            (_hasRunOut, _ranOutAt) = (true, _time.GetTimestamp());
            _ranOut++;
            Release();
        }

        FeedLog.WaitRanOut(_logger, _node, _wait.TotalSeconds, RanOut);
    }

    /// <summary>Called under the lock.</summary>
    private void Release()
    {
        _isHolding = false;
        _limit?.Dispose();
        _limit = null;
        _released.SetResult();
    }
}
