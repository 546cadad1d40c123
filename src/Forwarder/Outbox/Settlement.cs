namespace KeyEvt.Forwarder.Outbox;

/// <summary>How did an event leave a log?</summary>
internal enum Settlement
{
    /// <summary>The broker confirmed it and did not return it.</summary>
    Confirmed,

    /// <summary>It is now in the fallback storage.</summary>
    Stored,

    /// <summary>Returned by the broker: no queue is bound. Policy drop.</summary>
    Unroutable,

    /// <summary>Refused more often than allowed and sent on as failed.</summary>
    DeadLettered,

    /// <summary>Longer than the broker takes messages.</summary>
    TooLarge,

    /// <summary>Memory was full and nothing else could take it.</summary>
    MemoryFull,

    /// <summary>It could not be placed anywhere before the program had to end.</summary>
    Shutdown,
}
