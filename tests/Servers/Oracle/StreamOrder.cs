using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>Do first arrivals come in the order of the node's stream? Their ids say it: run id, marker, count. An id that two events share is out of order too.</summary>
public sealed class StreamOrder
{
    private readonly Dictionary<string, (long Marker, int Count)> _last = [];

    public long Faults { get; private set; }

    public string? FirstFault { get; private set; }

    /// <summary>False when the id is none of a position.</summary>
    public bool Add(string? messageId)
    {
        if (messageId?.Split('-') is not [{ Length: 16 } node, var first, var second]
            || !long.TryParse(first, CultureInfo.InvariantCulture, out var marker) || !int.TryParse(second, CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        if (_last.TryGetValue(node, out var last) && (marker, count).CompareTo(last) <= 0)
        {
            Faults++;
            FirstFault ??= $"{messageId} came after {node}-{last.Marker}-{last.Count}";
        }
        else
        {
            _last[node] = (marker, count);
        }

        return true;
    }
}
