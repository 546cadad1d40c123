using System.Buffers.Text;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// Is a frame that begins like this a message for a merged name?
/// <code>
/// ("*" / ">") "3" CRLF "$7" CRLF "message" CRLF "$" length CRLF channel ...
/// ("*" / ">") "4" CRLF "$8" CRLF "pmessage" CRLF "$" length CRLF pattern ...
/// </code>
/// </summary>
internal static class MessageHead
{
    public const int IsMerged = 0;

    public const int IsOther = -1;

    /// <summary>No name has a length of more digits, since it came in a request that was held whole.</summary>
    private const int MaxDigits = 5;

    private static ReadOnlySpan<byte> Channel => "3\r\n$7\r\nmessage\r\n$"u8;

    private static ReadOnlySpan<byte> Pattern => "4\r\n$8\r\npmessage\r\n$"u8;

    /// <param name="head">The first bytes of the frame, no more than were asked for.</param>
    /// <param name="stream">Knows the names and the client's protocol.</param>
    /// <returns>One of the two constants above; or, above 0, how many bytes of the frame are needed to tell more.</returns>
    public static int Judge(ReadOnlySpan<byte> head, FanInStream stream)
    {
        if (head.Length < 2) return head.IsEmpty || head[0] == (stream.Inbox.IsResp3 ? '>' : '*') ? head.Length + 1 : IsOther;
        var isPattern = head[1] == '4';
        var beginning = isPattern ? Pattern : Channel;
        var rest = head[1..];
        if (rest.Length < beginning.Length) return beginning.StartsWith(rest) ? head.Length + 1 : IsOther;
        if (!rest.StartsWith(beginning)) return IsOther;

        rest = rest[beginning.Length..];
        var digits = rest.IndexOf("\r\n"u8);
        if (digits < 0) return rest.Length <= MaxDigits + 1 ? head.Length + 1 : IsOther;
        if (!Utf8Parser.TryParse(rest[..digits], out int length, out var parsed) || parsed != digits || length < 0) return IsOther;

        rest = rest[(digits + 2)..];
        if (rest.Length < length) return head.Length - rest.Length + length;
        return stream.Names.Find(isPattern, rest[..length]) is null ? IsOther : IsMerged;
    }
}
