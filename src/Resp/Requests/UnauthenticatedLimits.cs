// With which words would the server have refused this request before login?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// What a server allows who has not logged in is little, so that strangers cannot make it hold much (<c>authRequired</c> in <c>networking.c</c>). For requests that the
/// server never sees.
/// </summary>
public static class UnauthenticatedLimits
{
    /// <summary>Arguments of one request, its name included.</summary>
    public const int MaxArguments = 10;

    /// <summary>Bytes of one argument.</summary>
    public const int MaxBulkBytes = 16384;

    /// <summary>The text of the error line without <c>-ERR </c>; null for a request that is allowed. The limits are those of multibulk requests.</summary>
    public static string? RefusalOf(RespRequest request)
    {
        if (request.IsInline) return null;
        if (request.Count > MaxArguments) return RequestErrors.UnauthenticatedCount;
        return Enumerable.Range(0, request.Count).Any(i => request[i].Length > MaxBulkBytes) ? RequestErrors.UnauthenticatedLength : null;
    }
}
