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

    /// <summary>What Redis allows before authentication, refused with Redis' own texts for that state.</summary>
    public static RespLimits Unauthenticated { get; } = new() { MaxArguments = 10, MaxBulkBytes = 16384, BeforeAuthentication = true };

    /// <summary>Arguments of one request, its name included.</summary>
    public long MaxArguments { get; init; } = int.MaxValue;

    /// <summary>Bytes of one argument.</summary>
    public long MaxBulkBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Bytes of an inline line in front of its LF, and of a header line in front of its CR.</summary>
    public int MaxInlineBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of a request that is held whole, its framing included.</summary>
    public int MaxCandidateBytes { get; init; } = 64 * 1024;

    /// <summary>Whether the refusal says that the limit is the one before authentication.</summary>
    public bool BeforeAuthentication { get; init; }
}
