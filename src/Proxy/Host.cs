using KeyEvt.Proxy.Options;

namespace KeyEvt.Proxy;

/// <summary>In which order do the parts start and stop?</summary>
internal static class Host
{
    public static Task<int> RunAsync(ProxyOptions options, TextWriter output, TextWriter error) => Task.FromResult(0);
}
