using System.Diagnostics.CodeAnalysis;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which Redis is behind the proxy (one node, a master watched by Sentinels, or a cluster), and with which login is it reached?</summary>
/// <remarks>
/// <code>
/// redis://[[user]:password@]host[:port]                        one node; also unix:/path
/// redis+sentinel://[[user]:password@]host[:port],.../master    the Sentinels; the login is for Redis, that for Sentinel is set separately
/// redis+cluster://[[user]:password@]host[:port],...            some nodes of a cluster; the others are learned from them
/// </code>
/// With <c>rediss</c> instead of <c>redis</c>, everything is over TLS, also the Sentinels.
/// </remarks>
public sealed record UpstreamAddress
{
    public const int SentinelPort = 26379;

    public required UpstreamShape Shape { get; init; }

    /// <summary>Depending on the shape: the node, the Sentinels with Sentinel's own login, or nodes of the cluster.</summary>
    public required IReadOnlyList<RedisAddress> Seeds { get; init; }

    /// <summary>The name by which the Sentinels know the master; empty for the other shapes.</summary>
    public string MasterName { get; init; } = "";

    /// <summary>Scheme and login of every node; its host is not used.</summary>
    public required RedisAddress Login { get; init; }

    public bool IsTls => Login.IsTls;

    public static UpstreamAddress Of(RedisAddress node) => new() { Shape = UpstreamShape.Standalone, Seeds = [node], Login = node };

    /// <summary>The address of a node of this upstream.</summary>
    public RedisAddress NodeAt(string host, int port) => Login with { Host = host, Port = port, Path = null };

    public UpstreamAddress WithPassword(Secret password)
    {
        var login = Login with { Password = password };
        return this with { Login = login, Seeds = Shape == UpstreamShape.Sentinel ? Seeds : [.. Seeds.Select(seed => seed with { User = login.User, Password = password })] };
    }

    /// <summary>Sets the Sentinels' own login. Without it they are asked without a login.</summary>
    public UpstreamAddress WithSentinelLogin(string? user, Secret? password) =>
        this with { Seeds = [.. Seeds.Select(seed => seed with { User = user, Password = password })] };

    /// <exception cref="FormatException">The message is one line that names the fault, without the password.</exception>
    public static UpstreamAddress Parse(string text) => TryParse(text, out var address, out var error) ? address : throw new FormatException(error);

    /// <param name="error">Empty, or one line that names the fault, without the password.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out UpstreamAddress? address, out string error)
    {
        address = null;
        var mark = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = mark < 0 ? "" : text[..mark].ToLowerInvariant();
        if (scheme is "redis+sentinel" or "rediss+sentinel")
        {
            return TryParseSentinels(scheme[..scheme.IndexOf('+', StringComparison.Ordinal)], text[(mark + 3)..], out address, out error);
        }

        if (scheme is "redis+cluster" or "rediss+cluster")
        {
            return TryParseCluster(scheme[..scheme.IndexOf('+', StringComparison.Ordinal)], text[(mark + 3)..], out address, out error);
        }

        if (scheme.Length > 0 && scheme is not ("redis" or "rediss" or "unix"))
        {
            error = "an upstream begins with redis://, redis+sentinel://, redis+cluster://, the same with rediss for TLS, or unix:/";
            return false;
        }

        if (!RedisAddress.TryParse(text, out var node, out error)) return false;

        address = Of(node);
        return true;
    }

    /// <summary>The address for people, without the password.</summary>
    public override string ToString() => Shape switch
    {
        UpstreamShape.Standalone => Seeds[0].ToString(),
        UpstreamShape.Sentinel => $"{Login.Scheme}+sentinel://{Who}{string.Join(',', Seeds.Select(Place))}/{MasterName}",
        _ => $"{Login.Scheme}+cluster://{Who}{string.Join(',', Seeds.Select(Place))}",
    };

    private string Who => Login.User is null ? "" : Login.User + "@";

    private static string Place(RedisAddress seed) => (seed with { User = null, Scheme = "redis" }).ToString()["redis://".Length..];

    private static bool TryParseSentinels(string scheme, string rest, out UpstreamAddress? address, out string error)
    {
        address = null;
        var at = rest.LastIndexOf('@');
        var slash = rest.IndexOf('/', at + 1);
        if (rest.AsSpan(at + 1).IndexOfAny('?', '#') >= 0)
        {
            error = RedisAddress.NoParameters;
            return false;
        }

        var name = slash < 0 ? "" : Uri.UnescapeDataString(rest[(slash + 1)..]);
        if (name.Length == 0 || name.Contains('/') || name.Any(c => char.IsControl(c) || c == ' '))
        {
            error = "redis+sentinel:// ends with the name of the master, and nothing behind it: redis+sentinel://host:26379,host:26379/mymaster";
            return false;
        }

        if (!TryParseSeeds(scheme, rest[..slash], SentinelPort, out var login, out var seeds, out error)) return false;

        address = new UpstreamAddress { Shape = UpstreamShape.Sentinel, Seeds = [.. seeds.Select(seed => seed with { User = null, Password = null })], MasterName = name, Login = login };
        return true;
    }

    private static bool TryParseCluster(string scheme, string rest, out UpstreamAddress? address, out string error)
    {
        address = null;
        if (!TryParseSeeds(scheme, rest, RedisAddress.DefaultPort, out var login, out var seeds, out error)) return false;

        address = new UpstreamAddress { Shape = UpstreamShape.Cluster, Seeds = seeds, Login = login };
        return true;
    }

    private static bool TryParseSeeds(string scheme, string rest, int defaultPort, out RedisAddress login, out List<RedisAddress> seeds, out string error)
    {
        var at = rest.LastIndexOf('@');
        var who = rest[..(at + 1)];
        seeds = [];
        login = new RedisAddress();
        error = "";
        foreach (var place in rest[(at + 1)..].Split(','))
        {
            var hasPort = place.LastIndexOf(':') > place.LastIndexOf(']');
            if (!RedisAddress.TryParse($"{scheme}://{who}{place}", out var seed, out error)) return false;

            seeds.Add(hasPort ? seed : seed with { Port = defaultPort });
        }

        login = seeds[0] with { Host = "", Port = 0 };
        return true;
    }
}
