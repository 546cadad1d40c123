// With which text is a malformed request refused?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// Error texts of Redis' <c>networking.c</c>. Errors that Redis does not check for use the text of another server, or our own. None holds CR, LF or NUL.
/// </summary>
internal static class RequestErrors
{
    public const string TooBigInline = "Protocol error: too big inline request";

    public const string UnbalancedQuotes = "Protocol error: unbalanced quotes in request";

    public const string TooBigCountLine = "Protocol error: too big mbulk count string";

    public const string InvalidCount = "Protocol error: invalid multibulk length";

    public const string UnauthenticatedCount = "Protocol error: unauthenticated multibulk length";

    public const string TooBigLengthLine = "Protocol error: too big bulk count string";

    public const string InvalidLength = "Protocol error: invalid bulk length";

    public const string UnauthenticatedLength = "Protocol error: unauthenticated bulk length";

    /// <summary>Valkey's text. Redis checks neither the bytes behind a body nor the byte behind a header's CR.</summary>
    public const string InvalidCrlf = "Protocol error: invalid CRLF in request";

    /// <summary>Our own text. Redis would wait for more, because for Redis the line ends, unfinished, at the zero byte.</summary>
    public const string ZeroByteInline = "Protocol error: zero byte in inline request";

    /// <summary>
    /// Redis shows the offending byte unchanged. Here CR, LF and NUL become a blank, and other bytes that are not printable ASCII become '?'.
    /// </summary>
    public static string ExpectedDollar(byte got)
    {
        var shown = got switch
        {
            0 or (byte)'\r' or (byte)'\n' => ' ',
            < 0x20 or > 0x7e => '?',
            _ => (char)got,
        };
        return $"Protocol error: expected '$', got '{shown}'";
    }
}
