using System.Globalization;
using System.Text;

namespace KeyEvt.Proxy.Intercept;

/// <summary>How are replies written? Shapes that RESP2 and RESP3 share.</summary>
internal static class Replies
{
    public static ReadOnlyMemory<byte> Ok { get; } = "+OK\r\n"u8.ToArray();

    /// <summary><c>+text CRLF</c></summary>
    public static ReadOnlyMemory<byte> Simple(string text) => Line('+', text);

    /// <summary><c>-text CRLF</c>; the text begins with its code.</summary>
    public static ReadOnlyMemory<byte> Error(string text) => Line('-', text);

    /// <summary><c>$length CRLF bytes CRLF</c></summary>
    public static ReadOnlyMemory<byte> Bulk(ReadOnlySpan<byte> bytes) => (byte[])[.. Header('$', bytes.Length), .. bytes, .. "\r\n"u8];

    public static ReadOnlyMemory<byte> Bulk(string text) => Bulk(Encoding.UTF8.GetBytes(text));

    /// <summary><c>*count CRLF</c> and the elements.</summary>
    public static ReadOnlyMemory<byte> Array(IReadOnlyCollection<ReadOnlyMemory<byte>> elements)
    {
        var reply = new List<byte>(Header('*', elements.Count));
        foreach (var element in elements) reply.AddRange(element.Span);
        return reply.ToArray();
    }

    /// <summary>Without what would begin another line.</summary>
    public static string OneLine(string text) => text.Replace('\r', ' ').Replace('\n', ' ').Replace('\0', ' ');

    /// <summary>Whatever the text holds, it stays one line: foreign bytes in it can never begin a second reply.</summary>
    private static byte[] Line(char type, string text) => Encoding.UTF8.GetBytes($"{type}{OneLine(text)}\r\n");

    private static byte[] Header(char type, int count) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{type}{count}\r\n"));
}
