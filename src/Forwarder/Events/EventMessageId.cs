using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// What is the message id of an event? It is made of its position: <c>run-marker-count</c>. Bodies that the replaced module left in the list have no position, and get
/// another kind of id. That of a gap: <see cref="GapMessageId"/>.
/// </summary>
internal static class EventMessageId
{
    /// <summary>Writes the message id <c>run-marker-count</c>; at most 47 bytes. Returns its length.</summary>
    public static int Write(in EventPosition position, Span<byte> utf8)
    {
        Utf8Formatter.TryFormat(position.RunId, utf8, out var length, new StandardFormat('x', 16));
        utf8[length++] = (byte)'-';
        Utf8Formatter.TryFormat(position.Marker, utf8[length..], out var written);
        length += written;
        utf8[length++] = (byte)'-';
        Utf8Formatter.TryFormat(position.Count, utf8[length..], out written);
        return length + written;
    }

    /// <summary>Reads the marker from a message id.</summary>
    public static bool TryReadMarker(ReadOnlySpan<byte> messageId, out long marker)
    {
        marker = 0;
        return messageId.Length > 17 && messageId[16] == '-'
            && Utf8Parser.TryParse(messageId[17..], out marker, out var used) && used > 0 && messageId.Length > 17 + used && messageId[17 + used] == '-';
    }

    /// <summary>Reads the run id from a message id.</summary>
    public static bool TryReadRun(ReadOnlySpan<byte> messageId, out ulong run)
    {
        run = 0;
        return TryReadMarker(messageId, out _) && Utf8Parser.TryParse(messageId[..16], out run, out var used, 'x') && used == 16;
    }

    /// <summary>The run id in a message id; "unknown" if the id was not made of a position.</summary>
    public static string NodeOf(ReadOnlySpan<byte> messageId) =>
        TryReadRun(messageId, out var run) ? run.ToString("x16", CultureInfo.InvariantCulture) : "unknown";

    /// <summary>The id of a body that the replaced module left. It is the same when the body is sent again by this run of the program.</summary>
    /// <param name="run">Random letters and digits, chosen at the start of the program.</param>
    /// <param name="sequence">The entry's number in the log of this run.</param>
    public static byte[] OfPlainBody(string run, long sequence) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"adopted-{run}-{sequence}"));
}
