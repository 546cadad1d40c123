using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// What do all sessions of one listener share? Immutable, except that two properties are made at their first use. Forwarding a request writes to none of it.
/// </summary>
internal sealed record SessionServices
{
    public required ITransport Transport { get; init; }

    public required IUpstreamRoute Upstream { get; init; }

    /// <summary>The gate that requests to a node wait at until its events are heard.</summary>
    public Func<TransportAddress, CoverageGate> CoverageOf { get; init; } = static _ => CoverageGate.AlwaysOpen;

    /// <summary>Makes for each session the <see cref="SessionInterceptor"/> that decides what the proxy answers or changes itself.</summary>
    public OpenInterceptor Intercept { get; init; } = static (_, _, _, _) => SessionInterceptor.None;

    public required UpstreamProbe Probe { get; init; }

    /// <summary>Counts intercepted requests; null: they are not counted.</summary>
    public InterceptMetrics? Interceptions { get; init; }

    /// <summary>Measures how long connecting takes; null: it is not measured.</summary>
    public ConnectTimes? ConnectTimes { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public SessionDeadlines Deadlines { get; init; } = new();

    /// <summary>Gives each session that begins to connect a token which is cancelled after <see cref="SessionDeadlines.Connect"/>.</summary>
    /// <remarks>
    /// Unsynchronised on purpose: if two threads race here, each gets its own <see cref="SharedDeadline"/>. Both expire correctly, they only save fewer timers.
    /// </remarks>
    public SharedDeadline ConnectDeadline => field ??= new SharedDeadline(Deadlines.Connect, Time);

    /// <summary>Whether the upstream can be reached. All sessions report to it whether they could connect.</summary>
    public UpstreamReachability Reach
    {
        get
        {
            // Several listeners may come here at once, and must get the same one.
            if (field is null) Interlocked.CompareExchange(ref field, new UpstreamReachability(Time, Logger), null);
            return field;
        }
        init;
    }

    public RespLimits Limits { get; init; } = RespLimits.Default;
}
