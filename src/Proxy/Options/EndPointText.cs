using System.Text;
using KeyEvt.Proxy.Parameters;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Options;

/// <summary>How is an address written: <c>host:port</c>, <c>[::1]:port</c>, <c>unix:/path</c>?</summary>
internal static class EndPointText
{
    private const int MaxUnixPath = 107; // sockaddr_un.sun_path of Linux, without its final NUL

    /// <summary>Reads an address to listen on. With port 0 the system chooses the port.</summary>
    public static TransportAddress? Parse(string text, out string fault)
    {
        fault = $"must be host:port or unix:/path, not {Printable.Quote(text)}";
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text[5..];
            return path.StartsWith('/') && Encoding.UTF8.GetByteCount(path) <= MaxUnixPath ? TransportAddress.Unix(path) : null;
        }
        return SplitHostPort(text, out var host, out var port, minPort: 0) && port is { } given ? TransportAddress.Tcp(host, given) : null;
    }

    /// <summary>As <see cref="Parse"/>, or <c>rediss://host:port</c> for TLS.</summary>
    public static TransportAddress? ParseListen(string text, out string fault)
    {
        if (!text.StartsWith(TransportAddress.TlsScheme, StringComparison.OrdinalIgnoreCase))
        {
            var plain = Parse(text, out fault);
            fault = $"must be host:port, rediss://host:port (TLS) or unix:/path, not {Printable.Quote(text)}";
            return plain;
        }

        fault = $"must be rediss://host:port, not {Printable.Quote(text)}";
        return SplitHostPort(text[TransportAddress.TlsScheme.Length..], out var host, out var port, minPort: 0) && port is { } given ? TransportAddress.Tls(host, given) : null;
    }

    /// <summary>Splits <c>host[:port]</c>. An IPv6 address is written in brackets, which are removed.</summary>
    public static bool SplitHostPort(string text, out string host, out int? port, int minPort = 1)
    {
        port = null;
        var colon = text.LastIndexOf(':');
        var bracket = text.LastIndexOf(']');
        var hasPort = colon > bracket;
        host = hasPort ? text[..colon] : text;
        var faults = new List<string>();
        if (hasPort)
        {
            port = (int?)ConfigParameters.ReadInteger("", OptionInput.Bytes(text[(colon + 1)..]), minPort, 65535, faults);
            if (port is null || (host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('['))) return false;
        }
        if (host.StartsWith('[') != host.EndsWith(']')) return false;
        var valid = ConfigParameters.ReadHost(OptionInput.Bytes(host), faults) is not null;
        host = host.Trim('[', ']');
        return valid && host.Length > 0;
    }
}
