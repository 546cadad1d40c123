using System.Net;
using System.Text;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Proxy.Cluster;

/// <summary>Which node is behind which port of the proxy? Immutable; each change makes a new map.</summary>
internal sealed record PortMap(IReadOnlyList<PortMapEntry> Entries)
{
    public static PortMap Empty { get; } = new([]);

    /// <summary>The port that leads to the node with this id; null: there is none.</summary>
    public int? PortOf(ReadOnlySpan<byte> id)
    {
        foreach (var entry in Entries)
        {
            if (Ascii.Equals(id, entry.NodeId)) return entry.ListenPort;
        }

        return null;
    }

    /// <summary>The port that leads to the node with this address, in any spelling that is known for the node; null: there is none.</summary>
    public int? PortOf(string host, int port)
    {
        foreach (var entry in Entries)
        {
            if (entry.Port == port && entry.Hosts.Any(known => IsSame(known, host))) return entry.ListenPort;
        }

        return null;
    }

    /// <summary>
    /// The port that leads to the node which a redirection means that names no host. Tried in this order, all with the port of the redirection: the node on the
    /// host of the sender; the node that serves the slot; the only node with this port. Never the sender itself, since a node does not redirect a client to
    /// itself.
    /// </summary>
    /// <param name="from">The host of the node that has sent the redirection; <paramref name="fromPort"/> is its port.</param>
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
/// <param name="Hosts">What the node itself is called: its address and the name it announces.</param>
/// <param name="Port">The node's port, at each of <paramref name="Hosts"/>.</param>
/// <param name="ListenPort">The proxy's port that leads to the node.</param>
internal sealed record PortMapEntry(string NodeId, IReadOnlyList<string> Hosts, int Port, int ListenPort)
{
    public IReadOnlyList<SlotRange> Slots { get; init; } = [];

    public static PortMapEntry Of(TopologyNode node, int listenPort) => new(node.Id, [node.Address.Host, .. node.Hosts], node.Address.Port, listenPort) { Slots = node.Slots };
}
