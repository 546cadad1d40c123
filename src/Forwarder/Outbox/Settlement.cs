namespace KeyEvt.Forwarder.Outbox;

/// <summary>How did an event leave a log?</summary>
internal enum Settlement
{
    /// <summary>The broker confirmed it and did not return it.</summary>
    Confirmed,

    /// <summary>It is now in the fallback storage.</summary>
    Stored,

    /// <summary>Another member of the group delivers it from its own memory.</summary>
    HandedOver,

    /// <summary>Returned by the broker, as no queue is bound, and dropped as the options say.</summary>
    Unroutable,

    /// <summary>Refused more often than allowed, and sent on with the routing key for failed ones.</summary>
    DeadLettered,

    /// <summary>Its message was larger than the broker takes.</summary>
    TooLarge,

    /// <summary>Memory was full and nothing else could take it.</summary>
    MemoryFull,

    /// <summary>It could not be placed anywhere before the program had to end.</summary>
    Shutdown,
}
