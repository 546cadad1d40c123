namespace KeyEvt.Forwarder.Redis;

/// <summary>Is a command that was answered by an error likely to succeed soon, without anybody's help?</summary>
internal static class RedisErrors
{
    /// <summary>Whether the node is loading, in a long script, or without its master. Then nothing was refused.</summary>
    public static bool IsPassing(RedisAnswer reply) => reply.ErrorCode is "BUSY" or "LOADING" or "MASTERDOWN";
}
