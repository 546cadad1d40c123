using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy;

/// <summary>Which metrics does the program have, and what do they tell of the program as a whole?</summary>
internal static class ProgramMetrics
{
    /// <summary>Of all instruments that are not the forwarder's.</summary>
    public const string MeterName = "KeyEvt.Proxy";

    private static readonly MetricDefinition Build = new(MetricKind.Gauge, "keyevt.build.info", "", "Always 1. version: of KeyEvt. build: native, or jit. runtime: the version of .NET.", "version", "build", "runtime");
    private static readonly MetricDefinition Ready = new(MetricKind.Gauge, "keyevt.ready", "", "1 while /readyz answers 200: clients are served, and the events of every master are heard.");
    private static readonly MetricDefinition Uptime = new(MetricKind.Gauge, "keyevt.uptime", "s", "Time since the program was started.");

    /// <summary>In the order of docs/metrics.md.</summary>
    public static IReadOnlyList<MetricArea> Areas { get; } =
    [
        .. ForwarderMetrics.Areas.Where(static area => area.Title != ProgramTitle),
        new("Sessions of clients", [.. SessionMetrics.Definitions, .. ConnectTimes.Definitions]),
        new("Requests that KeyEvt answers itself", [.. InterceptMetrics.Definitions, .. FanInMetrics.Definitions]),
        new(ProgramTitle, [Build, Ready, Uptime, .. ForwarderMetrics.Areas.Where(static area => area.Title == ProgramTitle).SelectMany(static area => area.Definitions)]),
    ];

    private const string ProgramTitle = "Program";

    /// <summary>Of KeyEvt.</summary>
    public static string Version { get; } = typeof(ProgramMetrics).Assembly.GetName().Version!.ToString(3);

    public static void Add(Meter meter, IReadiness readiness, TimeProvider time)
    {
        var startedAt = time.GetTimestamp();
        meter.ObserveMany(Build, static () => [BuildInfo()]);
        meter.Observe(Ready, () => readiness.Missing().Count == 0 ? 1 : 0);
        meter.Observe(Uptime, () => time.GetElapsedTime(startedAt).TotalSeconds);
    }

    private static Measurement<double> BuildInfo() => new(
        1,
        new KeyValuePair<string, object?>("version", Version),
        new KeyValuePair<string, object?>("build", RuntimeFeature.IsDynamicCodeCompiled ? "jit" : "native"),
        new KeyValuePair<string, object?>("runtime", Environment.Version.ToString()));
}
