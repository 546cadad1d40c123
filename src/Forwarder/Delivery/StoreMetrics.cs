using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What do metrics tell of the places where events wait: memory, the lists in Redis, the spool?</summary>
internal static class StoreMetrics
{
    private const string List = "list";

    private static readonly MetricDefinition MemoryEvents = new(MetricKind.Gauge, "keyevt.memory.events", "{event}", "Events in memory, those that the broker has not confirmed yet included.");
    private static readonly MetricDefinition MemoryUsage = new(MetricKind.Gauge, "keyevt.memory.usage", "By", "What the events in memory take, with 64 bytes for each besides its own.");
    private static readonly MetricDefinition MemoryLimit = new(MetricKind.Gauge, "keyevt.memory.limit", "By", "What the events in memory may take. Beyond it the oldest are dropped.");
    private static readonly MetricDefinition Entries = new(MetricKind.Gauge, "keyevt.fallback.entries", "{event}", "Events in the fallback storage, by list. The spool is the list named spool.", List);
    private static readonly MetricDefinition ReadAhead = new(MetricKind.Gauge, "keyevt.fallback.draining", "{event}", "Events of the fallback storage that are being sent, by list. They stay in it until the broker has confirmed them.", List);
    private static readonly MetricDefinition Refusals = new(MetricKind.Counter, "keyevt.fallback.refusals", "{failure}", "Failed attempts to count, append, read or remove in the fallback storage, by list.", List);
    private static readonly MetricDefinition Known = new(MetricKind.Gauge, "keyevt.fallback.known", "", "1 once it is known what earlier runs left in the fallback storage. Before that nothing is sent.");
    private static readonly MetricDefinition Limit = new(MetricKind.Gauge, "keyevt.fallback.limit", "{event}", "Most events in all lists in Redis together. 0: no limit. Negative: the lists are not used.");
    private static readonly MetricDefinition SpoolEntries = new(MetricKind.Gauge, "keyevt.spool.entries", "{event}", "Events in the spool on this machine's disk.");
    private static readonly MetricDefinition SpoolUsage = new(MetricKind.Gauge, "keyevt.spool.usage", "By", "Size of the spool's files.");
    private static readonly MetricDefinition SpoolDamaged = new(MetricKind.Counter, "keyevt.spool.damaged", "By", "Bytes of the spool that could not be read because their checksum was wrong.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } =
        [MemoryEvents, MemoryUsage, MemoryLimit, Entries, ReadAhead, Refusals, Known, Limit, SpoolEntries, SpoolUsage, SpoolDamaged];

    /// <param name="limit">Of all lists together, as configured at the moment.</param>
    public static void Add(Meter meter, DeliveryLoop delivery, LocalSpool? spool, Func<long> limit)
    {
        meter.Observe(MemoryEvents, () => delivery.Memory.Count);
        meter.Observe(MemoryUsage, () => delivery.Memory.Bytes);
        meter.Observe(MemoryLimit, () => delivery.Memory.MaxBytes);
        meter.ObserveMany(Entries, () => ByList(delivery.Stores, static list => list.Length));
        meter.ObserveMany(ReadAhead, () => ByList(delivery.Stores, static list => list.ReadAheadCount));
        meter.ObserveMany(Refusals, () => ByList(delivery.Stores, static list => list.Refusals));
        meter.Observe(Known, () => delivery.Stores.IsKnown ? 1 : 0);
        meter.Observe(Limit, () => limit());
        meter.Observe(SpoolEntries, () => spool?.Status.Entries ?? 0);
        meter.Observe(SpoolUsage, () => spool?.Status.Bytes ?? 0);
        meter.Observe(SpoolDamaged, () => spool?.DamagedBytes ?? 0);
    }

    private static IEnumerable<Measurement<double>> ByList(StoreSet stores, Func<FallbackQueue, long> read) =>
        stores.Queues.Select(list => new Measurement<double>(read(list), new KeyValuePair<string, object?>(List, list.Name)));
}
