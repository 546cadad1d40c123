using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>What is logged about steps of the fallback storage? Event ids 2108, 2117, 2118.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(2108, LogLevel.Warning, "the fallback storage cannot take events: {Reason}; they wait in memory, next attempt in {DelayMilliseconds} ms")]
    public static partial void StoreRefused(ILogger logger, string reason, int delayMilliseconds);

    [LoggerMessage(2117, LogLevel.Warning, "{Count} events that {Store} did not take go to {Other}")]
    public static partial void StoredElsewhere(ILogger logger, int count, string store, string other);

    [LoggerMessage(2118, LogLevel.Warning, "what earlier runs left in the fallback storage is not known everywhere: {Reason}; next look in {DelayMilliseconds} ms")]
    public static partial void NotSearched(ILogger logger, string reason, int delayMilliseconds);
}
