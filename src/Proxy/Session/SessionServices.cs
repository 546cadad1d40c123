using KeyEvt.Forwarder.Feed;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Merge;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>What do all sessions of one listener share? Immutable; nothing of it is written to on the way of a request.</summary>
internal sealed record SessionServices
{
    public required ITransport Transport { get; init; }

    public required IUpstreamRoute Upstream { get; init; }

    /// <summary>Whether requests to a node must wait until its events are heard.</summary>
    public Func<TransportAddress, CoverageGate> CoverageOf { get; init; } = static _ => CoverageGate.AlwaysOpen;

    /// <summary>Of a cluster's door: what its nodes are called on this side. Null everywhere else: replies are not looked at.</summary>
    public ClusterDoor? Door { get; init; }

    /// <summary>Of a cluster's door with --merge-keyspace; else null.</summary>
    public MergeServices? Merge { get; init; }

    public required UpstreamProbe Probe { get; init; }

    public required Authorization Authorization { get; init; }

    /// <summary>Null: interception is switched off, everything is passed on.</summary>
    public required ICommandHandler? Commands { get; init; }

    /// <summary>Counts what was intercepted; null: nobody does.</summary>
    public InterceptMetrics? Interceptions { get; init; }

    /// <summary>Measures how long connecting takes; null: nobody does.</summary>
    public ConnectTimes? ConnectTimes { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();

    /// <summary><see cref="SessionDeadlines.Connect"/> of whoever begins now.</summary>
    public SharedDeadline ConnectDeadline => field ??= new SharedDeadline(Deadlines.Connect, Time); // made twice, it is two: nothing is shared then

    /// <summary>Of the upstream, told by all sessions that want to get there.</summary>
    public UpstreamReach Reach { get => field ??= new UpstreamReach(Time, Logger); init; } // made twice, it is two: a warning comes twice then

    public RespLimits Limits { get; init; } = RespLimits.Default;
}
