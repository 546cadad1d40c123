using Microsoft.AspNetCore.Http;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// By which name may the admin pages be asked for? On loopback only by those of this machine. Else a web page anywhere could give its own name the address
/// 127.0.0.1, and its visitors' browsers would read the pages for it (DNS rebinding). On an address that others reach anyway, any name is as good.
/// </summary>
/// <param name="isOnLoopback">Nobody but this machine can connect.</param>
/// <param name="configured">The host of --admin; empty: a unix socket.</param>
internal sealed class AdminHosts(bool isOnLoopback, string configured)
{
    private readonly string[] _accepted = ["localhost", "127.0.0.1", "[::1]", configured.Contains(':') ? $"[{configured}]" : configured];

    /// <summary>No host at all is what HTTP/1.0 allows, as some health checks speak it; no browser does.</summary>
    public bool Accept(HostString host) => !isOnLoopback || !host.HasValue || _accepted.Contains(host.Host, StringComparer.OrdinalIgnoreCase);
}
