// Would the server have refused this request before login, and with which text?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// A server accepts only small requests before login, so that strangers cannot make it hold much (<c>authRequired</c> in <c>networking.c</c>). The
/// same limits are applied here to requests that the server never sees.
/// </summary>
public static class UnauthenticatedLimits
{
    /// <summary>Maximum number of arguments of one request, its name included.</summary>
    public const int MaxArguments = 10;

    /// <summary>Maximum bytes of one argument.</summary>
    public const int MaxBulkBytes = 16384;

    /// <summary>
    /// Returns the text of the error line without <c>-ERR </c>, or null if the request is allowed. The limits apply to multibulk requests only.
    /// </summary>
    public static string? RefusalOf(RespRequest request)
    {
        if (request.IsInline) return null;
        if (request.Count > MaxArguments) return RequestErrors.UnauthenticatedCount;
        return Enumerable.Range(0, request.Count).Any(i => request[i].Length > MaxBulkBytes) ? RequestErrors.UnauthenticatedLength : null;
    }
}
