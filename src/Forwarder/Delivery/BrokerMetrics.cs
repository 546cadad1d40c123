using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What do metrics tell of the connection to the broker, and of the way that events go?</summary>
internal static class BrokerMetrics
{
    private static readonly MetricDefinition Connected = new(MetricKind.Gauge, "keyevt.broker.connected", "", "1 while there is a connection to the broker. It is opened when events are wanted.");
    private static readonly MetricDefinition Blocked = new(MetricKind.Gauge, "keyevt.broker.blocked", "", "1 while the broker takes nothing because of an alarm of its own (memory, disk).");
    private static readonly MetricDefinition Connects = new(MetricKind.Counter, "keyevt.broker.connects", "{connection}", "Connections to the broker that have come about.");
    private static readonly MetricDefinition Failures = new(MetricKind.Counter, "keyevt.broker.failures", "{failure}", "Connections to the broker that were lost, and attempts that failed.");
    private static readonly MetricDefinition Unconfirmed = new(MetricKind.Gauge, "keyevt.broker.unconfirmed", "{message}", "Messages that are published and not confirmed yet.");
    private static readonly MetricDefinition Refused = new(MetricKind.Counter, "keyevt.broker.refused", "{message}", "Messages that the broker has refused (nack). They are sent again.");
    private static readonly MetricDefinition Returned = new(MetricKind.Counter, "keyevt.broker.returned", "{message}", "Messages that came back because no queue is bound for them.");
    private static readonly MetricDefinition RouteMissing = new(MetricKind.Gauge, "keyevt.broker.route.missing", "", "1 while events wait because no queue is bound with their routing key.");
    private static readonly MetricDefinition KeysCut = new(MetricKind.Counter, "keyevt.broker.routing.keys.cut", "{message}", "Routing keys that were cut at AMQP's 255 bytes.");
    private static readonly MetricDefinition State = new(MetricKind.Gauge, "keyevt.delivery.state", "", "Which way events go: the state that holds is 1. live: memory to broker. storing: memory to fallback storage. draining: fallback storage to broker. stopped: by the disconnect command.", "state");
    private static readonly MetricDefinition Changes = new(MetricKind.Counter, "keyevt.delivery.state.changes", "{change}", "Changes of the way that events go.");

    public static IReadOnlyList<MetricDefinition> Definitions { get; } =
        [Connected, Blocked, Connects, Failures, Unconfirmed, Refused, Returned, RouteMissing, KeysCut, .. ConfirmTimes.OfBroker, State, Changes];

    public static void Add(Meter meter, DeliveryLoop delivery)
    {
        meter.Observe(Connected, () => delivery.Links.Link is null ? 0 : 1);
        meter.Observe(Blocked, () => delivery.Links.BlockedReason is null ? 0 : 1);
        meter.Observe(Connects, () => delivery.Links.Reconnects);
        meter.Observe(Failures, () => delivery.Links.Failures);
        meter.Observe(Unconfirmed, () => delivery.UnconfirmedCount);
        meter.Observe(Refused, () => delivery.Refused);
        meter.Observe(Returned, () => delivery.Returned);
        meter.Observe(RouteMissing, () => delivery.RouteFault is null ? 0 : 1);
        meter.Observe(KeysCut, () => delivery.RoutingKeysCut);
        meter.ObserveMany(State, () => StateSeries.Of(delivery.State, "state"));
        meter.Observe(Changes, () => delivery.StateChanges);
    }
}
