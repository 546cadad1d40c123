using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are there now? Looks at once on any hint, and each second otherwise; one loop, which alone changes what is known.</summary>
internal sealed class TopologyWatcher : ITopology, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>While something fails, or after a hint: a switch takes several steps.</summary>
    private static readonly TimeSpan Hurried = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan HurryFor = TimeSpan.FromSeconds(3);

    private readonly INodeFinder? _finder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _hinted = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly LogRateLimiter _warnings;
    private readonly Lock _gate = new();
    private readonly ChangeSignal _changed = new();
    private volatile TopologySnapshot _current;
    private volatile string? _fault;
    private long _hurryUntil;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    public TopologyWatcher(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time, ILogger logger)
        : this(upstream, FinderOf(upstream, transport, time), time, logger)
    {
    }

    internal TopologyWatcher(UpstreamAddress upstream, INodeFinder? finder, TimeProvider time, ILogger logger)
    {
        (_finder, _time, _logger) = (finder, time, logger);
        _warnings = new LogRateLimiter(time, TimeSpan.FromMinutes(1));
        IReadOnlyList<TopologyNode> first = upstream.Shape == UpstreamShape.Standalone
            ? [new TopologyNode { Id = upstream.Seeds[0].ToString(), Address = upstream.Seeds[0], Role = NodeRole.Unknown }]
            : [];
        _current = new TopologySnapshot(upstream.Shape, 0, first);
    }

    public TopologySnapshot Current => _current;

    /// <summary>Why nothing is known, or what is known may be old; null when the last look went well, and the next change will be told of.</summary>
    public string? LastFault => _fault ?? _finder?.Deafness;

    public Task Changed => _changed.Next;

    public void Hint(string reason)
    {
        TopologyLog.Hinted(_logger, reason);
        Volatile.Write(ref _hurryUntil, _time.TimestampAfter(HurryFor));
        Wake();
    }

    /// <summary>One node's address says all there is to know of it: nothing runs then.</summary>
    public void Start()
    {
        if (_finder is { } finder)
            _loop = Task.WhenAll(GuardAsync(() => WatchAsync(finder)), GuardAsync(() => finder.ListenAsync(Hint, _stop.Token)));
    }

    /// <summary>Faults when the loop dies of a fault in the program; ends when it is disposed.</summary>
    public Task Completion => _completion.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _completion.TrySetResult();
        if (_finder is not null)
            await _finder.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _hinted.Dispose();
    }

    internal static INodeFinder? FinderOf(UpstreamAddress upstream, IRedisTransport transport, TimeProvider time) => upstream.Shape switch
    {
        UpstreamShape.Sentinel => new SentinelFinder(upstream, transport, time),
        UpstreamShape.Cluster => new ClusterFinder(upstream, transport, time),
        _ => null,
    };

    /// <summary>A loop that dies must not do so in silence.</summary>
    private async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await Task.Run(loop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
        catch (Exception e)
        {
            TopologyLog.LoopDied(_logger, e);
            _completion.TrySetException(e);
        }
    }

    private async Task WatchAsync(INodeFinder finder)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Take(await finder.FindAsync().ConfigureAwait(false));
                _fault = null;
                if (finder.Deafness is { } deafness && _warnings.MayWarn(2407))
                    TopologyLog.Deaf(_logger, deafness);
            }
            catch (IOException e)
            {
                if (_fault != e.Message && _warnings.MayWarn(2401))
                    TopologyLog.Unknown(_logger, e.Message);
                _fault = e.Message;
            }

            bool isHurried = _time.GetTimestamp() < Volatile.Read(ref _hurryUntil) || _fault is not null || _current.Nodes.Any(node => node.IsFailing && node.Role != NodeRole.Replica);
            var pause = isHurried ? Hurried : Interval;
            try
            {
                await HintedAsync(pause).ConfigureAwait(false);
                await Task.Delay(Breath, _time, _stop.Token).ConfigureAwait(false); // many hints are one
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Take(IReadOnlyList<TopologyNode> nodes)
    {
        if (IsSame(nodes, _current.Nodes))
            return;

        var next = _current with { Version = _current.Version + 1, Nodes = nodes };
        _current = next;
        TopologyLog.Changed(_logger, next.Version, string.Join(", ", nodes.Select(Describe)));
        _changed.Signal();
    }

    internal static string Describe(TopologyNode node) =>
        $"{node.Address} {node.Role.ToString().ToLowerInvariant()}{(node.Slots.Count > 0 ? $" of {node.Slots.Sum(range => range.Count)} slots" : "")}{(node.IsFailing ? " (failing)" : "")}";

    private static bool IsSame(IReadOnlyList<TopologyNode> one, IReadOnlyList<TopologyNode> other) =>
        one.Count == other.Count && one.Zip(other).All(pair =>
            pair.First with { Slots = [], Hosts = [] } == pair.Second with { Slots = [], Hosts = [] }
            && pair.First.Slots.SequenceEqual(pair.Second.Slots)
            && pair.First.Hosts.SequenceEqual(pair.Second.Hosts));

    private void Wake()
    {
        lock (_gate)
        {
            if (_hinted.CurrentCount == 0)
                _hinted.Release();
        }
    }

    /// <summary>Returns when somebody has hinted, or after the pause.</summary>
    private async Task HintedAsync(TimeSpan pause)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var hinted = _hinted.WaitAsync(end.Token);
        await Task.WhenAny(hinted, Task.Delay(pause, _time, end.Token)).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await hinted.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Token.ThrowIfCancellationRequested();
    }
}
