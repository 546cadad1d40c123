namespace KeyEvt.Simulation.Broker;

/// <summary>How does a running broker treat messages?</summary>
internal enum BrokerMood
{
    Well,

    /// <summary>It does nothing at all.</summary>
    Frozen,

    /// <summary>It has an alarm: it takes no messages, and says so to whoever publishes.</summary>
    Blocked,

    /// <summary>It refuses some messages (nack).</summary>
    Refusing,

    /// <summary>No queue is bound: what is published comes back.</summary>
    WithoutQueue,
}
