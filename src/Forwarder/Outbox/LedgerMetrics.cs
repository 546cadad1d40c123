using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Outbox;

/// <summary>What do metrics tell of where every event went? All of it is read from the <see cref="Ledger"/>, as info does.</summary>
internal static class LedgerMetrics
{
    private static readonly MetricDefinition Received = new(MetricKind.Counter, "keyevt.events.received", "{event}", "Events that were received: notifications of masters, and messages about gaps.");
    private static readonly MetricDefinition Adopted = new(MetricKind.Counter, "keyevt.events.adopted", "{event}", "Events found in the fallback storage that this run of the program did not put there.");
    private static readonly MetricDefinition Filtered = new(MetricKind.Counter, "keyevt.events.filtered", "{event}", "Events that no mask or rule asks for.");
    private static readonly MetricDefinition Confirmed = new(MetricKind.Counter, "keyevt.events.confirmed", "{event}", "Events that the broker has confirmed and routed to a queue.");
    private static readonly MetricDefinition Dropped = new(MetricKind.Counter, "keyevt.events.dropped", "{event}", $"Events that were given up, by reason: {LabelText.All<DropReason>()}.", "reason");
    private static readonly MetricDefinition Waiting = new(MetricKind.Gauge, "keyevt.events.waiting", "{event}", "Events that are not settled yet, by place: memory, or fallback (lists in Redis and spool).", "place");
    private static readonly MetricDefinition HandedOver = new(MetricKind.Counter, "keyevt.events.handed_over", "{event}", "Events that another member of the group delivers, as it is the holder now.");

    private static readonly MetricDefinition Unaccounted = new(
        MetricKind.Gauge, "keyevt.events.unaccounted", "{event}", "Received and adopted events that are neither filtered, confirmed, waiting, handed over nor dropped. Always 0: anything else is a bug.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } = [Received, Adopted, Filtered, Confirmed, Dropped, Waiting, HandedOver, Unaccounted];

    public static void Add(Meter meter, Ledger ledger)
    {
        meter.Observe(Received, () => ledger.Snapshot().Received);
        meter.Observe(Adopted, () => ledger.Snapshot().Adopted);
        meter.Observe(Filtered, () => ledger.Snapshot().Filtered);
        meter.Observe(Confirmed, () => ledger.Snapshot().Confirmed);
        meter.ObserveMany(Dropped, () => DroppedBy(ledger.Snapshot()));
        meter.ObserveMany(Waiting, () => WaitingIn(ledger.Snapshot()));
        meter.Observe(HandedOver, () => ledger.Snapshot().HandedOver);
        meter.Observe(Unaccounted, () => ledger.Snapshot().Difference);
    }

    private static IEnumerable<Measurement<double>> DroppedBy(LedgerSnapshot now) =>
        Enum.GetValues<DropReason>().Select(reason => new Measurement<double>(now.Dropped[(int)reason], new KeyValuePair<string, object?>("reason", LabelText.Of(reason))));

    private static IEnumerable<Measurement<double>> WaitingIn(LedgerSnapshot now) =>
    [
        new(now.WaitingMemory, new KeyValuePair<string, object?>("place", LabelText.Of(WaitingPlace.Memory))),
        new(now.WaitingFallback, new KeyValuePair<string, object?>("place", LabelText.Of(WaitingPlace.Fallback))),
    ];
}
