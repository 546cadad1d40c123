using KeyEvt.Forwarder.Feed.Status;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Should requests to a node wait until its events are heard? One a node; asked by sessions before they pass requests on.</summary>
/// <remarks>
/// Only who stands between clients and Redis can do this: what is not passed on while nobody listens cannot be missed. The data path must not depend on it for long. So a
/// wait ends after <c>wait</c> in any case, for everybody at once, and then nobody waits until events have been heard again, and not within ten seconds. Thread safe.
/// </remarks>
public sealed class CoverageGate
{
    private static readonly TimeSpan RestFor = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly string _node;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile bool _isHolding;
    private TaskCompletionSource _released = new();
    private ITimer? _limit;
    private bool _isMissing;
    private bool _isOfReplica;
    private bool _hasRunOut; // and nothing has been heard since
    private long _ranOutAt;
    private long _waits;
    private long _ranOut;

    /// <summary>Of what has no events: it never holds.</summary>
    public static CoverageGate AlwaysOpen { get; } = new("", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);

    /// <param name="node">The node, without secrets, for the log.</param>
    /// <param name="wait">How long requests wait at most; zero: never.</param>
    internal CoverageGate(string node, TimeSpan wait, TimeProvider time, ILogger logger) => (_node, _wait, _time, _logger) = (node, wait, time, logger);

    /// <summary>Whether to wait. The one thing that is read for every request.</summary>
    public bool IsHolding => _isHolding;

    /// <summary>How often somebody waited.</summary>
    internal long Waits => Volatile.Read(ref _waits);

    /// <summary>How often the time was over before the events were heard.</summary>
    internal long RanOut => Volatile.Read(ref _ranOut);

    /// <summary>Events are neither sent nor stored: nobody waits for them.</summary>
    internal Func<bool> AreEventsOff { get; init; } = static () => false;

    /// <summary>Called when somebody waits, who could reach the node: the feed should not pause before it tries again.</summary>
    internal Action? Hurry { get; set; }

    /// <summary>The node is a replica as far as is known: clients' writes are not its own.</summary>
    internal bool IsOfReplica
    {
        set
        {
            lock (_gate) _isOfReplica = value;
            Settle();
        }
    }

    /// <summary>Events are wanted and not heard, or no longer so.</summary>
    internal void Show(bool isMissing)
    {
        lock (_gate)
        {
            _isMissing = isMissing;
            _hasRunOut &= isMissing;
        }

        Settle();
    }

    /// <summary>Ends when requests may be passed on: at the latest after the time that was given.</summary>
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

    /// <param name="wait">The one whose time is over: its timer may be late, and another wait may have begun.</param>
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

    /// <summary>Under the lock.</summary>
    private void Release()
    {
        _isHolding = false;
        _limit?.Dispose();
        _limit = null;
        _released.SetResult();
    }
}
