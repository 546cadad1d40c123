using System.Globalization;
using System.Text;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// What are the parts of <c>scheme://[user[:password]@]host[:port][/path]</c> (RFC 3986, section 3)? Read by hand, since System.Uri normalises percent escapes.
/// The text of a fault never shows the URI, since a password may be in it.
/// </summary>
internal sealed record ConnectionUri(string Scheme, string? User, string? Password, string Host, int? Port, string? Path)
{
    /// <summary>Reads a URI. Null if it is wrong; <paramref name="fault"/> then says what is wrong.</summary>
    public static ConnectionUri? Parse(string text, out string fault)
    {
        fault = "";
        var colon = text.IndexOf("://", StringComparison.Ordinal);
        if (colon <= 0) return Wrong("must begin with a scheme and ://", out fault);
        var scheme = text[..colon].ToLowerInvariant();
        var rest = text[(colon + 3)..];
        if (rest.AsSpan().IndexOfAny('?', '#') >= 0)
        {
            return Wrong("must not have parameters (? or #): there are options for them; in a password write %3F or %23", out fault);
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? null : Decode(rest[(slash + 1)..]);
        if (slash >= 0 && (path is null || rest.IndexOf('/', slash + 1) >= 0))
        {
            return Wrong("has a path that is not one percent-encoded name (write %2F for a slash)", out fault);
        }

        var at = authority.LastIndexOf('@');
        string? user = null, password = null;
        if (at >= 0)
        {
            var parts = authority[..at].Split(':', 2);
            user = Decode(parts[0]);
            password = parts.Length > 1 ? Decode(parts[1]) : null;
            if (user is null || (parts.Length > 1 && password is null))
            {
                return Wrong("has a user or password with a wrong percent escape (write %25 for a percent sign)", out fault);
            }
        }
        return EndPointText.SplitHostPort(authority[(at + 1)..], out var host, out var port)
            ? new ConnectionUri(scheme, user, password, host, port, path)
            : Wrong("must name a host, and a port from 1 to 65535 if any (in a user or password write %2F for a slash, %40 for an at sign)", out fault);
    }

    /// <summary>Replaces the record's own text, which would show the password.</summary>
    public override string ToString() => $"{Scheme}://{Host}:{Port}";

    /// <summary>Decodes percent escapes. Null if an escape is wrong, or the result is not UTF-8 or contains a NUL.</summary>
    private static string? Decode(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var to = 0;
        for (var from = 0; from < bytes.Length; from++, to++)
        {
            bytes[to] = bytes[from];
            if (bytes[from] != (byte)'%') continue;
            if (from + 2 >= bytes.Length || !byte.TryParse(bytes.AsSpan(from + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[to]))
            {
                return null;
            }

            from += 2;
        }
        var decoded = bytes.AsSpan(0, to);
        return System.Text.Unicode.Utf8.IsValid(decoded) && !decoded.Contains((byte)0) ? Encoding.UTF8.GetString(decoded) : null;
    }

    private static ConnectionUri? Wrong(string text, out string fault)
    {
        fault = text;
        return null;
    }
}
