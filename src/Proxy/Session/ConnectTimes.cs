using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Proxy.Session;

/// <summary>How long does it take a session to get to the upstream?</summary>
internal sealed class ConnectTimes(Meter meter)
{
    private static readonly MetricDefinition Duration = new(MetricKind.Histogram, "keyevt.upstream.connect.duration", "s", "Time until a client's own connection to Redis was open, its TLS handshake included. Failed attempts are not in it.");

    private readonly Histogram<double> _durations = meter.CreateTimes(Duration, MeterExtensions.ShortTimes);

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Duration];

    public void Connected(TimeSpan took) => _durations.Record(took.TotalSeconds);
}
