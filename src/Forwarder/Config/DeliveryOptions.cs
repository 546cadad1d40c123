namespace KeyEvt.Forwarder.Config;

/// <summary>What are the bounds and deadlines of delivery?</summary>
public sealed record DeliveryOptions
{
    /// <summary>Published and not yet confirmed, at most.</summary>
    public int Window { get; init; } = 1024;

    /// <summary>The same in bytes of message bodies.</summary>
    public long WindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Events in memory, with their overhead, at most; beyond it the oldest are dropped and counted.</summary>
    public long BufferBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>One call of the broker library; past it the connection is abandoned (it may never return).</summary>
    public TimeSpan PublishDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From a publish to its confirm; past it the connection is abandoned.</summary>
    public TimeSpan ConfirmDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>One attempt to connect, all steps together.</summary>
    public TimeSpan ConnectDeadline { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How long events wait in memory for a first connection before they are stored.</summary>
    public TimeSpan StoreAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a command waits for the link to be closed in good order.</summary>
    public TimeSpan CloseDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Refusals of one event by the broker before it is sent on as failed; 0: retried for ever.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>Whether an event that no queue would take is kept and tried again, instead of dropped and counted.</summary>
    public bool StoreUnroutable { get; init; }

    /// <summary>Events moved to or from the fallback storage in one step, at most: Redis answers nobody else meanwhile, for 0.16 ms on average and 1 ms at most in 99 of 100 steps.</summary>
    public int StoreBatch { get; init; } = 512;

    /// <summary>Bytes moved to or from the fallback storage in one step, at most, apart from a single event that is larger.</summary>
    public int StoreBatchBytes { get; init; } = 256 * 1024;

    /// <summary>Nothing more is read from the fallback storage while so many events of it wait for the broker.</summary>
    public int ReadAhead { get; init; } = 2048;

    /// <summary>Directory of the local store; null: none.</summary>
    public string? Spool { get; init; }

    /// <summary>Whether the storage has a place besides the list in Redis, so that it is used even with the list switched off.</summary>
    public bool HasSpool => Spool is not null;
}
