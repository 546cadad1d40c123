using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Topology;

/// <summary>
/// Which nodes are there now? Looks at once on any hint, and otherwise each second. One loop looks, and it alone changes <see cref="Current"/>.
/// </summary>
internal sealed class TopologyWatcher : ITopology, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Pause between two looks while something fails, and for a while after a hint.</summary>
    private static readonly TimeSpan Hurried = TimeSpan.FromMilliseconds(200);

    /// <summary>Additional wait after each pause, so that many hints together cause one look.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// A node that has been promoted is named as the master this much later at the most: a Sentinel asks it for its role each second during a failover, and tells the other Sentinels
    /// every two seconds (sentinel.c).
    /// </summary>
    internal static readonly TimeSpan Late = TimeSpan.FromSeconds(3);

    private readonly INodeFinder _finder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TopologyHints _hints;
    private readonly CancellationTokenSource _stop = new();
    private readonly LogRateLimiter _warnings;
    private readonly ChangeSignal _changed = new();

    /// <summary>Immutable snapshots. Replaced by the watching loop only; any thread reads the newest one.</summary>
    private volatile TopologySnapshot _current;

    /// <summary>Why the last look failed. Written by the watching loop only; read from any thread.</summary>
    private volatile string? _fault;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <summary>When the last look that succeeded began. Used by the watching loop only.</summary>
    private ClockReading _lookedAt;

    public TopologyWatcher(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time, ILogger logger)
        : this(upstream, FinderOf(upstream, transport, time), time, logger)
    {
    }

    internal TopologyWatcher(UpstreamAddress upstream, INodeFinder finder, TimeProvider time, ILogger logger)
    {
        (_finder, _time, _logger) = (finder, time, logger);
        _hints = new TopologyHints(time);
        _warnings = new LogRateLimiter(time, TimeSpan.FromMinutes(1));
        IReadOnlyList<TopologyNode> first = upstream.Shape == UpstreamShape.Standalone ? [OneNodeFinder.NodeOf(upstream)] : [];
        _lookedAt = ClockReading.Now(time);
        _current = new TopologySnapshot(upstream.Shape, 0, first);
    }

    public TopologySnapshot Current => _current;

    /// <summary>Why nothing is known, or why what is known may be old. Null if the last look succeeded and changes are announced.</summary>
    public string? LastFault => _fault ?? _finder.Deafness;

    public bool AreSlotsAwaited => _finder.IsAwaited;

    public Task Changed => _changed.Next;

    /// <summary>Tells whether a node that the user named alone is known to be part of a cluster. Called before <see cref="Start"/>.</summary>
    public void KnowCluster(Func<bool> isInCluster)
    {
        if (_finder is OneNodeFinder one) one.IsInCluster = isInCluster;
    }

    public void Hint(string reason)
    {
        TopologyLog.Hinted(_logger, reason);
        _hints.Add();
    }

    /// <summary>Starts the loop.</summary>
    public void Start() => _loop = Task.WhenAll(GuardAsync(WatchAsync), GuardAsync(() => _finder.ListenAsync(Hint, _stop.Token)));

    /// <summary>Faults if a loop ends because of a bug. Completes when the watcher is disposed.</summary>
    public Task Completion => _completion.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _completion.TrySetResult();
        await _finder.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _hints.Dispose();
    }

    internal static INodeFinder FinderOf(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time) => upstream.Shape switch
    {
        UpstreamShape.Sentinel => new SentinelFinder(upstream, transport, time),
        UpstreamShape.Cluster => new ClusterFinder(upstream, transport, time),
        _ => new OneNodeFinder(upstream, transport, time),
    };

    /// <summary>Runs a loop. If it ends because of a bug, reports that in the log and by <see cref="Completion"/>.</summary>
    private async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await Task.Run(loop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The watcher was disposed.
        }
        catch (Exception e)
        {
            TopologyLog.LoopDied(_logger, e);
            _completion.TrySetException(e);
        }
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var begun = ClockReading.Now(_time);
                Take(await _finder.FindAsync().ConfigureAwait(false));
                _lookedAt = begun;
                _fault = null;
                if (_finder.Deafness is { } deafness && _warnings.MayWarn(2407)) TopologyLog.Deaf(_logger, deafness);
            }
            catch (IOException e)
            {
                if (_fault != e.Message && _warnings.MayWarn(2401)) TopologyLog.Unknown(_logger, e.Message);
                _fault = e.Message;
            }

            var isHurried = _hints.IsRecent || _fault is not null || _current.Nodes.Any(node => node.IsFailing && node.Role != NodeRole.Replica);
            var pause = isHurried ? Hurried : Interval;
            try
            {
                await _hints.WaitAsync(pause, _stop.Token).ConfigureAwait(false);
                await Task.Delay(Breath, _time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Take(IReadOnlyList<TopologyNode> nodes)
    {
        if (_current.HasSameNodes(nodes)) return;

        var next = _current with { Version = _current.Version + 1, Nodes = nodes, ChangedAfter = _lookedAt.Before(Late, _time) };
        _current = next;
        TopologyLog.Changed(_logger, next.Version, string.Join(", ", nodes.Select(node => node.Describe())));
        _changed.Signal();
    }
}
