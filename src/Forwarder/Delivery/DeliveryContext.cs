using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What do the parts of the delivery loop share? Made and owned by <see cref="DeliveryLoop"/>.</summary>
/// <remarks>Used by the delivery loop only; what else other threads may read is said where it is declared.</remarks>
internal sealed record DeliveryContext(
    EventLog Memory,
    BrokerConnectionSupervisor Links,
    StoreSet Stores,
    Publisher Publisher,
    DeliveryClock Clock,
    DeliveryOptions Options,
    Func<ForwarderConfig> CurrentConfig,
    ILogger Logger)
{
    /// <summary>The configuration in force now; a command may change it at any moment.</summary>
    public ForwarderConfig Config => CurrentConfig();

    /// <summary>Whether the fallback storage has a place to store events in.</summary>
    public bool IsStorageOn => Config.FallbackStorageSize >= 0 || Options.HasSpool;
}
