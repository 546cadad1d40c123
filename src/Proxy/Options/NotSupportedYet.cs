namespace KeyEvt.Proxy.Options;

/// <summary>Which URI schemes belong to KeyEvt but are not built yet? The one place that refuses them.</summary>
internal static class NotSupportedYet
{
    private static readonly Dictionary<string, string> Schemes = new()
    {
        ["redis+sentinel"] = "Redis Sentinel",
        ["rediss+sentinel"] = "Redis Sentinel",
        ["redis+cluster"] = "Redis Cluster",
        ["rediss+cluster"] = "Redis Cluster",
    };

    /// <summary>Null, or the fault for a text that begins with such a scheme.</summary>
    public static string? Fault(string uri)
    {
        int colon = uri.IndexOf("://", StringComparison.Ordinal);
        return colon > 0 && Schemes.TryGetValue(uri[..colon].ToLowerInvariant(), out string? what)
            ? $"{uri[..colon].ToLowerInvariant()}:// is not supported yet: {what}"
            : null;
    }
}
