using System.Net;
using System.Text;

namespace KeyEvt.Proxy.Cluster;

/// <summary>Which node is behind which port of the proxy? Immutable; a new one at each change.</summary>
internal sealed record DoorPlan(IReadOnlyList<DoorEntry> Entries)
{
    public static DoorPlan Empty { get; } = new([]);

    /// <summary>The port for a node's id; null: it has no door.</summary>
    public int? PortOf(ReadOnlySpan<byte> id)
    {
        foreach (var entry in Entries)
        {
            if (Ascii.Equals(id, entry.NodeId)) return entry.DoorPort;
        }

        return null;
    }

    /// <summary>The port for a node's own address.</summary>
    public int? PortOf(string host, int port)
    {
        foreach (var entry in Entries)
        {
            if (entry.Port == port && IsSame(entry.Host, host)) return entry.DoorPort;
        }

        return null;
    }

    private static bool IsSame(string one, string other) =>
        string.Equals(one, other, StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(one, out var a) && IPAddress.TryParse(other, out var b) && a.Equals(b));
}

/// <param name="NodeId">40 hexadecimal digits.</param>
/// <param name="Host">Where the node itself is.</param>
/// <param name="Port">See <paramref name="Host"/>.</param>
/// <param name="DoorPort">Where the proxy listens for it.</param>
internal sealed record DoorEntry(string NodeId, string Host, int Port, int DoorPort);
