using System.Globalization;
using System.Text;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// Is an error line a redirection to another node, and where to?
/// <code>-MOVED slot host:port CRLF  /  -ASK slot host:port CRLF</code>
/// The host may be empty or <c>?</c> if the node does not tell it. See https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
/// </summary>
internal readonly record struct Redirection(string Beginning, int Slot, string Host, int Port)
{
    /// <summary>No redirection is longer: a host name has at most 253 characters.</summary>
    public const int MaxBytes = 320;

    /// <summary>Whether these first bytes of a line may become a redirection.</summary>
    public static bool MayBe(ReadOnlySpan<byte> head) => Begins(head, "-MOVED "u8) || Begins(head, "-ASK "u8);

    /// <param name="line">The line with its CRLF.</param>
    /// <param name="redirection">What the line says.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, out Redirection redirection)
    {
        redirection = default;
        if (!MayBe(line) || !line.EndsWith("\r\n"u8)) return false;
        var text = Encoding.UTF8.GetString(line[..^2]);
        var place = text.LastIndexOf(' ') + 1;
        var colon = text.LastIndexOf(':');
        if (text.AsSpan().Count(' ') != 2 || colon < place || !int.TryParse(text.AsSpan()[(text.IndexOf(' ') + 1)..(place - 1)], NumberStyles.None, CultureInfo.InvariantCulture, out var slot)
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return false;
        }

        redirection = new Redirection(text[..place], slot, text[place..colon].Trim('[', ']'), port);
        return true;
    }

    /// <summary>The same redirection, to another address.</summary>
    public byte[] To(string host, int port) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Beginning}{host}:{port}\r\n"));

    private static bool Begins(ReadOnlySpan<byte> head, ReadOnlySpan<byte> with)
    {
        var length = Math.Min(head.Length, with.Length);
        return head[..length].SequenceEqual(with[..length]);
    }
}
