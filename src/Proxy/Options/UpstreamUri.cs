using KeyEvt.Forwarder.Feed;

namespace KeyEvt.Proxy.Options;

/// <summary>What does <c>redis://[user:password@]host[:port]</c> or <c>unix:/path</c> say?</summary>
internal static class UpstreamUri
{
    public static RedisAddress? Parse(string text, out string fault)
    {
        if (NotSupportedYet.Fault(text) is { } notYet) return Wrong(notYet, out fault);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            if (EndPointText.Parse(text, out fault) is null) return null;
            return new RedisAddress { Scheme = "unix", Path = text[5..] };
        }
        var uri = ConnectionUri.Parse(text, out fault);
        if (uri is null) return null;
        if (uri.Scheme != "redis") return Wrong("must begin with redis:// or unix:", out fault);
        if (!string.IsNullOrEmpty(uri.Path)) return Wrong("must not name a database: events of all databases are forwarded", out fault);
        return new RedisAddress { Host = uri.Host, Port = uri.Port ?? 6379, User = string.IsNullOrEmpty(uri.User) ? null : uri.User, Password = uri.Password };
    }

    private static RedisAddress? Wrong(string text, out string fault)
    {
        fault = text;
        return null;
    }
}
