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

    /// <summary>Maximum number of arguments of one request, its name included.</summary>
    public long MaxArguments { get; init; } = int.MaxValue;

    /// <summary>Maximum bytes of one argument.</summary>
    public long MaxBulkBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>
    /// Maximum bytes of a held inline line in front of its LF, and of a header line in front of its CR. Servers always accept this many. They accept
    /// more if the end of the line has already arrived when they look.
    /// </summary>
    public int MaxInlineBytes { get; init; } = 64 * 1024;

    /// <summary>Maximum bytes of a multibulk request that is held whole, its framing included.</summary>
    public int MaxCandidateBytes { get; init; } = 64 * 1024;
}
