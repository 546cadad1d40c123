using System.Globalization;
using KeyEvt.Forwarder.Files;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Where is a Redis, and with which login is it reached?</summary>
/// <remarks>
/// <code>
/// redis://[[user]:password@]host[:port]     rediss:// the same over TLS     unix:/path
/// </code>
/// User and password are percent-decoded. The default port is 6379. An IPv6 host is written in brackets. Nothing may follow. Other programs write a
/// database number or parameters there. They would have no effect here, so they are refused instead of being ignored silently.
/// </remarks>
public sealed record RedisAddress
{
    public const int DefaultPort = 6379;

    internal const string NoParameters = "an address has no parameters (? or #): there are options for what is to be set; in a user or password write %3F or %23";

    /// <summary>redis, rediss or unix.</summary>
    public string Scheme { get; init; } = "redis";

    /// <summary>A host name or an IP address, without brackets; empty for a unix socket.</summary>
    public string Host { get; init; } = "";

    /// <summary>The port; 0 for a unix socket.</summary>
    public int Port { get; init; }

    /// <summary>The path of a unix socket, or null.</summary>
    public string? Path { get; init; }

    /// <summary>The user; null stands for the user named default, if there is a password.</summary>
    public string? User { get; init; }

    public Secret? Password { get; init; }

    public bool IsTls => Scheme == "rediss";

    /// <exception cref="FormatException">The message is one line that names the fault, without the password.</exception>
    public static RedisAddress Parse(string text) => TryParse(text, out var address, out var error) ? address : throw new FormatException(error);

    /// <param name="error">Empty, or one line that names the fault, without the password.</param>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RedisAddress? address, out string error)
    {
        address = null;
        error = "";
        if (text.StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
        {
            var path = text[5..];
            if (path.StartsWith("///", StringComparison.Ordinal)) path = path[2..];
            if (path.Length < 2 || path[0] != '/') error = "a unix socket is written unix:/path";
            else if (path.AsSpan().IndexOfAny('?', '#') >= 0) error = NoParameters;
            else address = new RedisAddress { Scheme = "unix", Path = path };
            return address is not null;
        }

        var mark = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = mark < 0 ? "" : text[..mark].ToLowerInvariant();
        if (scheme is not ("redis" or "rediss"))
        {
            error = "a Redis address begins with redis://, rediss:// or unix:/";
            return false;
        }

        var rest = text[(mark + 3)..];
        var at = rest.LastIndexOf('@');
        var login = at < 0 ? "" : rest[..at];
        var place = rest[(at + 1)..];
        var end = place.AsSpan().IndexOfAny('/', '?', '#');
        if (end >= 0)
        {
            error = FaultOfRest(place[end..]);
            if (error.Length > 0) return false;

            place = place[..end];
        }

        if (!TryReadPlace(place, out var host, out var port, out error)) return false;

        var colon = login.IndexOf(':', StringComparison.Ordinal);
        var user = Uri.UnescapeDataString(colon < 0 ? login : login[..colon]);
        address = new RedisAddress
        {
            Scheme = scheme,
            Host = host,
            Port = port,
            User = user.Length == 0 ? null : user,
            Password = colon < 0 ? null : Uri.UnescapeDataString(login[(colon + 1)..]),
        };
        return true;
    }

    /// <summary>
    /// What is wrong with the text behind the port; empty if nothing is. The text itself is not shown, except a number: a password may be among the
    /// parameters.
    /// </summary>
    private static string FaultOfRest(string rest)
    {
        if (rest == "/") return "";
        if (rest.AsSpan().IndexOfAny('?', '#') >= 0) return NoParameters;

        return rest.Length <= 10 && rest.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0
            ? $"nothing may stand behind the port, not {rest} either: each client chooses its database itself (SELECT), and events of all databases are forwarded; for those of one alone, write --rule 'db={rest[1..]} mask=ALL' instead of --keymask ALL"
            : "nothing may stand behind the port";
    }

    /// <summary>The address for people, without the password.</summary>
    public override string ToString() => Path is not null
        ? $"unix:{Path}"
        : string.Create(CultureInfo.InvariantCulture, $"{Scheme}://{(User is null ? "" : User + "@")}{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}");

    private static bool TryReadPlace(string place, out string host, out int port, out string error)
    {
        (host, port, error) = (place, DefaultPort, "");
        var digits = "";
        var bracket = place.StartsWith('[') ? place.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = place.LastIndexOf(':');
        if (bracket > 0)
        {
            host = place[1..bracket];
            digits = place[(bracket + 1)..].TrimStart(':');
        }
        else if (colon >= 0)
        {
            host = place[..colon];
            digits = place[(colon + 1)..];
        }

        if (host.Length == 0)
        {
            error = "a Redis address needs a host";
        }
        else if (bracket < 0 && host.Contains(':'))
        {
            error = "an IPv6 host is written in brackets: [::1]:6379";
        }
        else if (digits.Length > 0 && (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            error = "the port of a Redis address is a number from 1 to 65535";
        }

        return error.Length == 0;
    }
}
