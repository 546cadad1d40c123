using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Where does the proxy listen, or where is its upstream? <c>host:port</c>, <c>[ipv6]:port</c> or <c>unix:/path</c>; over TLS <c>rediss://host:port</c>.
/// </summary>
internal sealed record TransportAddress
{
    public const string TlsScheme = "rediss://";

    private const string UnixScheme = "unix:";

    private TransportAddress(string host, int port, string? path) => (Host, Port, UnixPath) = (host, port, path);

    /// <summary>A name, or an IP address without brackets; empty for a unix socket.</summary>
    public string Host { get; }

    /// <summary>0 to 65535. 0: when listening, any free port is taken.</summary>
    public int Port { get; }

    /// <summary>Null for TCP.</summary>
    public string? UnixPath { get; }

    /// <summary>TLS is spoken there.</summary>
    public bool IsTls { get; private init; }

    /// <summary>The same address without TLS. Two addresses that are equal in this form cannot both be listened on.</summary>
    public TransportAddress Plain => this with { IsTls = false };

    public static TransportAddress Tcp(string host, int port) => new(host, port, null);

    public static TransportAddress Tls(string host, int port) => new(host, port, null) { IsTls = true };

    public static TransportAddress Unix(string path) => new("", 0, path);

    public TransportAddress WithPort(int port) => new(Host, port, UnixPath) { IsTls = IsTls };

    /// <summary>Where a Redis is; without the login for it.</summary>
    public static TransportAddress Of(RedisAddress redis) => redis.Path is { } path ? Unix(path) : redis.IsTls ? Tls(redis.Host, redis.Port) : Tcp(redis.Host, redis.Port);

    public static bool TryParse(string text, [NotNullWhen(true)] out TransportAddress? address)
    {
        address = null;
        if (text.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            if (text.Length > UnixScheme.Length) address = Unix(text[UnixScheme.Length..]);
            return address is not null;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65535)
        {
            return false;
        }

        var host = text[..colon];
        if (host is ['[', .. var inner, ']']) host = inner;
        else if (host.Contains(':')) return false; // an IPv6 address without brackets: the port could not be told from the address
        address = Tcp(host, port);
        return true;
    }

    /// <summary>The address for sockets. A name that is no IP address is resolved when it is used.</summary>
    public EndPoint ToEndPoint()
    {
        if (UnixPath is not null) return new UnixDomainSocketEndPoint(UnixPath);
        return IPAddress.TryParse(Host, out var ip) ? new IPEndPoint(ip, Port) : new DnsEndPoint(Host, Port);
    }

    public override string ToString()
    {
        if (UnixPath is not null) return UnixScheme + UnixPath;
        return (IsTls ? TlsScheme : "") + (Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}");
    }
}
