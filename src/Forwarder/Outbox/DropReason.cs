namespace KeyEvt.Forwarder.Outbox;

/// <summary>Why was an event given up? Each reason is one field of the ledger.</summary>
public enum DropReason
{
    /// <summary>The disconnect command was given: neither sent nor stored.</summary>
    Disconnected,

    /// <summary>Memory was full and nothing else could take it.</summary>
    MemoryFull,

    /// <summary>The fallback storage was at its cap: the oldest made room.</summary>
    FallbackCap,

    /// <summary>The fallback storage lost it: evicted, flushed, or Redis restarted without it.</summary>
    FallbackLost,

    /// <summary>No queue is bound where it was published.</summary>
    Unroutable,

    /// <summary>The broker refused it more often than allowed; sent on with the routing key for failed ones.</summary>
    DeadLettered,

    /// <summary>Its message was larger than the broker takes.</summary>
    TooLarge,

    /// <summary>It could not be placed anywhere before the program had to end.</summary>
    Shutdown,
}
