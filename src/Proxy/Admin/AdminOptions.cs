using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Admin;

/// <summary>Where are the admin pages, and what do they ask for?</summary>
internal sealed record AdminOptions
{
    /// <summary>Where health and metrics are served; null when they are off.</summary>
    public TransportAddress? Address { get; init; }

    /// <summary>What must be shown for most of the admin pages; null: nothing.</summary>
    public Secret? Token { get; init; }
}
