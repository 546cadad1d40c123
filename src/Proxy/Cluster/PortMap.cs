using System.Net;
using System.Text;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Proxy.Cluster;

/// <summary>Which node is behind which port of the proxy? Immutable; a new one at each change.</summary>
internal sealed record PortMap(IReadOnlyList<PortMapEntry> Entries)
{
    public static PortMap Empty { get; } = new([]);

    /// <summary>The port for a node's id; null: it has none.</summary>
    public int? PortOf(ReadOnlySpan<byte> id)
    {
        foreach (var entry in Entries)
        {
            if (Ascii.Equals(id, entry.NodeId)) return entry.ListenPort;
        }

        return null;
    }

    /// <summary>The port for a node's own address, in any spelling that is known of it.</summary>
    public int? PortOf(string host, int port)
    {
        foreach (var entry in Entries)
        {
            if (entry.Port == port && entry.Hosts.Any(known => IsSame(known, host))) return entry.ListenPort;
        }

        return null;
    }

    /// <summary>
    /// The port of the node that a redirection means which names no host: the one at this port on the host of the node that has sent it; else the one that serves the slot, or that alone has
    /// this port. A node never sends a client to itself.
    /// </summary>
    /// <param name="from">The node that has sent it, by its own address.</param>
    public int? PortWithoutHost(int port, int slot, string from, int fromPort)
    {
        var there = Entries.Where(entry => entry.Port == port && !(port == fromPort && entry.Hosts.Any(known => IsSame(known, from)))).ToList();
        var meant = there.Find(entry => entry.Hosts.Any(known => IsSame(known, from)))
            ?? there.Find(entry => entry.Slots.Any(range => range.Contains(slot)))
            ?? (there.Count == 1 ? there[0] : null);
        return meant?.ListenPort;
    }

    private static bool IsSame(string one, string other) =>
        string.Equals(one, other, StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(one, out var a) && IPAddress.TryParse(other, out var b) && a.Equals(b));
}

/// <param name="NodeId">40 hexadecimal digits.</param>
/// <param name="Hosts">What the node itself is called: its address, its announced name.</param>
/// <param name="Port">Where it is, at each of <paramref name="Hosts"/>.</param>
/// <param name="ListenPort">Where the proxy listens for it.</param>
internal sealed record PortMapEntry(string NodeId, IReadOnlyList<string> Hosts, int Port, int ListenPort)
{
    public IReadOnlyList<SlotRange> Slots { get; init; } = [];

    public static PortMapEntry Of(TopologyNode node, int listenPort) => new(node.Id, [node.Address.Host, .. node.Hosts], node.Address.Port, listenPort) { Slots = node.Slots };
}
