using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Proxy.Options;

/// <summary>
/// Which users and passwords were given outside of the URIs? Kept apart until all options are read: they win over a password in a URI, whatever the order.
/// </summary>
internal sealed record LoginOptions
{
    public Secret? AmqpPassword { get; init; }

    public Secret? UpstreamPassword { get; init; }

    /// <summary>The user for the Sentinels; null: the login there names no user.</summary>
    public string? SentinelUser { get; init; }

    public Secret? SentinelPassword { get; init; }

    /// <summary>Puts them into the addresses of the broker and the upstream.</summary>
    public ForwarderOptions ApplyTo(ForwarderOptions forwarder)
    {
        var (initial, upstream) = (forwarder.Initial, forwarder.Upstream);
        if (AmqpPassword is { } amqp) initial = initial with { Amqp = initial.Amqp with { Password = amqp } };
        if (UpstreamPassword is { } password) upstream = upstream.WithPassword(password);
        if (upstream.Shape == UpstreamShape.Sentinel) upstream = upstream.WithSentinelLogin(SentinelUser, SentinelPassword);
        return forwarder with { Initial = initial, Upstream = upstream };
    }
}
