using Microsoft.AspNetCore.Http;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// Under which host names do the admin pages answer? On loopback only under the names of this machine. Otherwise any web page could give its own name
/// the address 127.0.0.1, and its visitors' browsers would read the pages for it (DNS rebinding). On an address that others can reach anyway, every
/// name is accepted.
/// </summary>
/// <param name="isOnLoopback">Whether only this machine can connect.</param>
/// <param name="configured">The host of --admin; empty for a unix socket.</param>
internal sealed class AdminHosts(bool isOnLoopback, string configured)
{
    private readonly string[] _accepted = ["localhost", "127.0.0.1", "[::1]", configured.Contains(':') ? $"[{configured}]" : configured];

    /// <summary>Whether the name is accepted. HTTP/1.0 allows no host at all, and some health checks use that. No browser does, so it is accepted.</summary>
    public bool Accept(HostString host) => !isOnLoopback || !host.HasValue || _accepted.Contains(host.Host, StringComparer.OrdinalIgnoreCase);
}
