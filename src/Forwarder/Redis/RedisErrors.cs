namespace KeyEvt.Forwarder.Redis;

/// <summary>Will a command that was answered by an error be answered otherwise soon, by itself?</summary>
internal static class RedisErrors
{
    /// <summary>The node is loading, in a long script, or without its master: nothing was refused.</summary>
    public static bool IsPassing(RedisAnswer reply) => reply.ErrorCode is "BUSY" or "LOADING" or "MASTERDOWN";
}
