using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
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

    /// <summary>Gives each session what it answers and changes itself.</summary>
    public OpenInterceptor Intercept { get; init; } = static (_, _, _, _) => SessionInterceptor.None;

    public required UpstreamProbe Probe { get; init; }

    /// <summary>Counts what was intercepted; null: nobody does.</summary>
    public InterceptMetrics? Interceptions { get; init; }

    /// <summary>Measures how long connecting takes; null: nobody does.</summary>
    public ConnectTimes? ConnectTimes { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();

    /// <summary><see cref="SessionDeadlines.Connect"/> of whoever begins now.</summary>
    /// <remarks>Unsynchronised on purpose: if two threads race here, each gets its own <see cref="SharedDeadline"/>. Both expire correctly, they only save fewer timers.</remarks>
    public SharedDeadline ConnectDeadline => field ??= new SharedDeadline(Deadlines.Connect, Time);

    /// <summary>Whether the upstream can be reached, told by all sessions that want to get there.</summary>
    /// <remarks>Unsynchronised on purpose: if two threads race here, each gets its own, and a warning is logged twice.</remarks>
    public UpstreamReachability Reach { get => field ??= new UpstreamReachability(Time, Logger); init; }

    public RespLimits Limits { get; init; } = RespLimits.Default;
}
