// With which words is a malformed request refused?
namespace KeyEvt.Resp.Requests;

/// <summary>The texts of Redis' <c>networking.c</c>; for what Redis does not look at, those of others. None holds CR, LF or NUL.</summary>
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

    /// <summary>Valkey's text: Redis looks neither at the bytes behind a body nor at the one behind a header's CR.</summary>
    public const string InvalidCrlf = "Protocol error: invalid CRLF in request";

    /// <summary>Redis would wait: to it the line ends, unfinished, at the zero byte.</summary>
    public const string ZeroByteInline = "Protocol error: zero byte in inline request";

    /// <summary>Redis shows the byte as it is; here what is not printable ASCII becomes a '?', and what would end a line a blank.</summary>
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
