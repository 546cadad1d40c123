// How large may a request be?
namespace KeyEvt.Resp;

/// <summary>
/// Limits on requests, checked before anything is kept or forwarded. The defaults are those of Redis 7
/// (<c>proto-max-bulk-len</c>, <c>PROTO_INLINE_MAX_SIZE</c>, <c>INT_MAX</c> arguments); the candidate limit is KeyEvt's own.
/// </summary>
public sealed record RespLimits
{
    /// <summary>What Redis allows an authenticated client.</summary>
    public static RespLimits Default { get; } = new();

    /// <summary>Arguments of one request, its name included.</summary>
    public long MaxArguments { get; init; } = int.MaxValue;

    /// <summary>Bytes of one argument.</summary>
    public long MaxBulkBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>
    /// Bytes of an inline line in front of its LF, where it is held, and of a header line in front of its CR. Servers take so many always, and more if the end
    /// of the line has arrived when they look.
    /// </summary>
    public int MaxInlineBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of a multibulk request that is held whole, its framing included.</summary>
    public int MaxCandidateBytes { get; init; } = 64 * 1024;
}
