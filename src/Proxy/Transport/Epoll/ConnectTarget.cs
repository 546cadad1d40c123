using System.Net;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>An address in the form that connecting needs. Immutable. The transport keeps the last one, as nearly all connects go to the same address.</summary>
internal sealed class ConnectTarget
{
    public ConnectTarget(TransportAddress address)
        : this(address, address.ToEndPoint())
    {
    }

    public ConnectTarget(TransportAddress address, EndPoint endPoint)
    {
        Address = address;
        Name = address.ToString();
        IsTcp = address.UnixPath is null;
        ToResolve = endPoint as DnsEndPoint;
        if (ToResolve is not null) return;
        var bytes = endPoint.Serialize();
        Bytes = bytes.Buffer[..bytes.Size];
    }

    public TransportAddress Address { get; }

    public string Name { get; }

    public bool IsTcp { get; }

    /// <summary>The host name that must be resolved at each connect, since it may stand for other addresses the next time; null if there is none.</summary>
    public DnsEndPoint? ToResolve { get; }

    /// <summary>struct sockaddr; empty for a host name.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }
}
