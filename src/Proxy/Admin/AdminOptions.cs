using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Admin;

/// <summary>Where are the admin pages, and what do they ask for?</summary>
internal sealed record AdminOptions
{
    /// <summary>Where the admin pages (health, metrics) are served; null: they are off.</summary>
    public TransportAddress? Address { get; init; }

    /// <summary>The token that a request for most of the admin pages must show; null: none.</summary>
    public Secret? Token { get; init; }
}
