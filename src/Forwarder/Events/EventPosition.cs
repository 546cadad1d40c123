using System.Buffers;
using System.Buffers.Text;
using System.Globalization;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// What is the position of an event in its node's stream of notifications? The same event always has the same position. So the message id that is
/// made of the position is the same however often the event is sent.
/// </summary>
/// <param name="RunId">The first 16 hexadecimal digits of the node's run_id, as a number.</param>
/// <param name="Marker">The last marker seen in the node's stream before the event.</param>
/// <param name="Count">Number of notifications since that marker, this one included, before any filter.</param>
public readonly record struct EventPosition(ulong RunId, long Marker, int Count)
{
    /// <summary>Writes the message id <c>run-marker-count</c>; at most 47 bytes. Returns its length.</summary>
    public int Format(Span<byte> utf8)
    {
        Utf8Formatter.TryFormat(RunId, utf8, out var length, new StandardFormat('x', 16));
        utf8[length++] = (byte)'-';
        Utf8Formatter.TryFormat(Marker, utf8[length..], out var written);
        length += written;
        utf8[length++] = (byte)'-';
        Utf8Formatter.TryFormat(Count, utf8[length..], out written);
        return length + written;
    }

    /// <summary>Reads the text that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out EventPosition position)
    {
        position = default;
        if (text.Split('-') is not [{ Length: 16 } run, var marker, var count]
            || !ulong.TryParse(run, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var runId)
            || !long.TryParse(marker, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var since))
        {
            return false;
        }

        position = new EventPosition(runId, number, since);
        return true;
    }

    /// <summary>The wall clock time in a marker, which is made of the clock in units of 2^-20 ms.</summary>
    public static long MarkerMilliseconds(long marker) => marker >> 20;

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

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{RunId:x16}-{Marker}-{Count}");
}
