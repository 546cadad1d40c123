using System.Globalization;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes does an answer to CLUSTER NODES name?</summary>
/// <remarks>
/// <code>
/// line = id SP host ":" port ["@" busport ["," hostname *("," aux)]] SP flags SP (master id | "-") SP ping SP pong SP epoch SP link *(SP slots)
/// slots = first ["-" last] | "[" migrating or importing "]"
/// </code>
/// (redis.io/commands/cluster-nodes). The port is the one for the kind of connection that asks, plain or TLS.
/// </remarks>
internal static class ClusterNodesReply
{
    /// <param name="Epoch">
    /// The newest config epoch of a master with slots. A node that takes slots over has a newer epoch than the node that had them. Masters without
    /// slots do not count: such a master may become a replica, and then its epoch disappears.
    /// </param>
    public readonly record struct View(IReadOnlyList<TopologyNode> Nodes, long Epoch);

    /// <param name="asked">The host that gave the answer. It is used for a node whose own address is empty, because it does not know it.</param>
    /// <exception cref="IOException">The answer names no node that can be reached.</exception>
    public static View Parse(string text, UpstreamAddress upstream, string asked)
    {
        var nodes = new List<TopologyNode>();
        long newest = 0;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var words = line.Split(' ');
            if (words.Length < 8) continue;

            var flags = words[2].Split(',');
            if (flags.Contains("handshake") || flags.Contains("noaddr") || !TryReadPlace(words[1], asked, out var hosts, out var port))
            {
                continue;
            }

            var node = new TopologyNode
            {
                Id = words[0],
                Address = upstream.NodeAt(upstream.IsTls ? hosts[^1] : hosts[0], port), // a certificate is issued for the name, if there is one
                Hosts = hosts,
                Role = flags.Contains("slave") ? NodeRole.Replica : NodeRole.Master,
                MasterId = words[3] == "-" ? null : words[3],
                Slots = SlotsOf(words),
                IsFailing = flags.Contains("fail") || flags.Contains("fail?"),
            };
            nodes.Add(node);
            if (node is { Role: NodeRole.Master, Slots.Count: > 0 } && long.TryParse(words[6], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch))
            {
                newest = Math.Max(newest, epoch);
            }
        }

        return nodes.Count > 0 ? new View(nodes, newest) : throw new IOException("its answer names no node");
    }

    /// <summary>The slots that the node serves which gave the answer. None if it is a replica.</summary>
    public static IReadOnlyList<SlotRange> SlotsOfMyself(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(static line => line.Split(' '));
        return lines.FirstOrDefault(static words => words.Length >= 8 && words[2].Split(',').Contains("myself")) is { } own ? SlotsOf(own) : [];
    }

    private static IReadOnlyList<SlotRange> SlotsOf(string[] words) => [.. words.Skip(8).Select(ReadSlots).OfType<SlotRange>().OrderBy(range => range.First)];

    /// <param name="hosts">The IP address, and then the host name if there is one.</param>
    private static bool TryReadPlace(string word, string asked, out List<string> hosts, out int port)
    {
        var names = word.Split(',');
        var place = names[0].Split('@')[0];
        var colon = place.LastIndexOf(':');
        var ip = colon < 0 ? "" : place[..colon].Trim('[', ']');
        hosts = [ip is "" or "?" ? asked : ip];
        if (names.Length > 1 && names[1].Length > 0 && !names[1].Contains('=')) hosts.Add(names[1]);
        return int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
    }

    private static SlotRange? ReadSlots(string word)
    {
        var ends = word.Split('-');
        return int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first) && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first <= last && last < 16384
            ? new SlotRange(first, last)
            : null;
    }
}
