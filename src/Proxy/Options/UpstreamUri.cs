using KeyEvt.Forwarder.Feed;

namespace KeyEvt.Proxy.Options;

/// <summary>Which upstream does <c>redis://[user:password@]host[:port]</c> or <c>unix:/path</c> name, and is it one that is supported?</summary>
internal static class UpstreamUri
{
    public static RedisAddress? Parse(string text, out string fault)
    {
        RedisAddress? address = null;
        fault = NotSupportedYet.Fault(text) ?? (RedisAddress.TryParse(text, out address, out string error) ? "" : $"is wrong: {error}");
        return address;
    }
}
