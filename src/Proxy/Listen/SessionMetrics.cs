using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.Listen;

/// <summary>What do metrics tell of the clients' sessions? All figures are read from <see cref="SessionRegistry"/>, as those of info are.</summary>
internal static class SessionMetrics
{
    private static readonly MetricDefinition Active = new(MetricKind.Gauge, "keyevt.sessions.active", "{session}", "Clients that are connected.");
    private static readonly MetricDefinition Limit = new(MetricKind.Gauge, "keyevt.sessions.limit", "{session}", "Most clients at once: --max-clients, or less where too few files may be open.");
    private static readonly MetricDefinition Opened = new(MetricKind.Counter, "keyevt.sessions.opened", "{session}", "Clients that were let in.");
    private static readonly MetricDefinition Rejected = new(MetricKind.Counter, "keyevt.sessions.rejected", "{connection}", "Clients that were refused because the limit was reached.");
    private static readonly MetricDefinition Ended = new(MetricKind.Counter, "keyevt.sessions.ended", "{session}", $"Sessions that have ended, by the first reason: {LabelText.All<SessionEndReason>(except: SessionEndReason.None)}.", "reason");
    private static readonly MetricDefinition Traffic = new(MetricKind.Counter, "keyevt.sessions.traffic", "By", "Bytes that were passed on. to_upstream: requests of clients. to_client: replies and messages, those of KeyEvt included. What KeyEvt asks Redis itself is not in it.", "direction");
    private static readonly MetricDefinition Requests = new(MetricKind.Counter, "keyevt.sessions.requests", "{request}", "Requests that were passed on to Redis. Replies are not counted, as KeyEvt does not look at them.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Active, Limit, Opened, Rejected, Ended, Traffic, Requests];

    public static void Add(Meter meter, SessionRegistry sessions)
    {
        meter.Observe(Active, () => sessions.Count);
        meter.Observe(Limit, () => sessions.MaxClients);
        meter.Observe(Opened, () => sessions.Total);
        meter.Observe(Rejected, () => sessions.Refused);
        meter.ObserveMany(Ended, () => EndedBy(sessions));
        meter.ObserveMany(Traffic, () => By(sessions.Traffic));
        meter.Observe(Requests, () => sessions.Traffic.Requests);
    }

    private static IEnumerable<Measurement<double>> EndedBy(SessionRegistry sessions) =>
        Enum.GetValues<SessionEndReason>().Where(reason => reason != SessionEndReason.None)
            .Select(reason => new Measurement<double>(sessions.EndedBy(reason), new KeyValuePair<string, object?>("reason", LabelText.Of(reason))));

    private static IEnumerable<Measurement<double>> By(SessionTraffic traffic) =>
    [
        new(traffic.ToUpstream, new KeyValuePair<string, object?>("direction", "to_upstream")),
        new(traffic.ToClient, new KeyValuePair<string, object?>("direction", "to_client")),
    ];
}
