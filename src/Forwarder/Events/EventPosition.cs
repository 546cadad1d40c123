using System.Globalization;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// What is the position of an event in its node's stream of notifications? The same event always has the same position. So the message id that is
/// made of the position (<see cref="EventMessageId"/>) is the same however often the event is sent.
/// </summary>
/// <param name="RunId">The first 16 hexadecimal digits of the node's run_id, as a number.</param>
/// <param name="Marker">The last marker seen in the node's stream before the event.</param>
/// <param name="Count">Number of notifications since that marker, this one included, before any filter.</param>
public readonly record struct EventPosition(ulong RunId, long Marker, int Count)
{
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

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{RunId:x16}-{Marker}-{Count}");
}
