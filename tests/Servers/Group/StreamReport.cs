using System.Globalization;

namespace KeyEvt.Servers.Group;

/// <summary>Who delivers the events of one node, as far as a member knows?</summary>
/// <param name="Role">holder, standby or joining.</param>
/// <param name="Holder">A member's id, or empty.</param>
/// <param name="Watermark">The place up to which everything is settled: run id, marker, count.</param>
public sealed record StreamReport(string Node, string Role, string Holder, long Term, string Watermark, long RingBytes, long RingEvents, bool ReachesBack, int Members, long Handovers, long LastHandoverMs)
{
    /// <summary>Whether the node is a master, so that there is something to deliver.</summary>
    public bool Serves { get; private init; } = true;

    internal static StreamReport Parse(string line)
    {
        var words = GroupReport.Words(line);
        return new StreamReport(
            words["node"], words["role"], words["holder"], Number("term"), words["watermark"], Number("ring_bytes"), Number("ring_events"), words["reaches_back"] == "yes",
            (int)Number("members"), Number("handovers"), Number("last_handover_ms"))
        {
            Serves = words["serves"] == "yes",
        };

        long Number(string name) => long.Parse(words[name], CultureInfo.InvariantCulture);
    }
}
