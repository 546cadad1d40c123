using System.Net;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>An address as connecting wants it; immutable, and kept from one connect to the next, as nearly all of them go to the same.</summary>
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

    /// <summary>A name that may stand for other addresses the next time; null where there is none.</summary>
    public DnsEndPoint? ToResolve { get; }

    /// <summary>struct sockaddr; empty for a name.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }
}
