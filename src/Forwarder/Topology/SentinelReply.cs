using System.Globalization;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes do a Sentinel's answers name? SENTINEL MASTER is a flat list of fields, SENTINEL REPLICAS a list of such lists.</summary>
internal static class SentinelReply
{
    public static long Epoch(RedisAnswer master) => long.TryParse(master.Find("config-epoch"), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;

    /// <param name="asked">The host that gave the answer. It is used for a node whose address the Sentinel does not know.</param>
    public static IReadOnlyList<TopologyNode> Nodes(UpstreamAddress upstream, RedisAnswer master, RedisAnswer replicas, string asked)
    {
        var nodes = new List<TopologyNode>();
        if (Node(upstream, master, NodeRole.Master, null, asked) is not { } first) throw new IOException("its answer names no master");

        nodes.Add(first with { Epoch = Epoch(master) });
        foreach (var replica in replicas.Items)
        {
            // A replica that is gone for good stays in Sentinel's list as s_down until SENTINEL RESET. Its feed goes on trying to connect.
            if (Node(upstream, replica, NodeRole.Replica, first.Id, asked) is { } node && nodes.All(one => one.Id != node.Id))
            {
                nodes.Add(node);
            }
        }

        return nodes;
    }

    private static TopologyNode? Node(UpstreamAddress upstream, RedisAnswer fields, NodeRole role, string? masterId, string asked)
    {
        if (!int.TryParse(fields.Find("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
        {
            return null;
        }

        var host = fields.Find("ip") is { Length: > 0 } ip and not "?" ? ip : asked;
        var address = upstream.NodeAt(host, port);
        var flags = (fields.Find("flags") ?? "").Split(',');
        return new TopologyNode
        {
            Id = $"{(host.Contains(':') ? $"[{host}]" : host)}:{port.ToString(CultureInfo.InvariantCulture)}",
            Address = address,
            Role = role,
            MasterId = masterId,
            IsFailing = flags.Contains("s_down") || flags.Contains("o_down"),
        };
    }
}
