using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Options;

/// <summary>Do options that are valid one by one also fit together?</summary>
internal static class ProxyOptionsValidator
{
    /// <summary>Returns one line for each fault.</summary>
    public static IEnumerable<string> Faults(ProxyOptions options)
    {
        var (server, upstream) = (options.Server, options.Forwarder.Upstream);
        var listen = server.Listen.Where(address => !IsAnyPort(address)).ToList();
        foreach (var twice in listen.GroupBy(address => address.Plain).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return $"--listen names {twice} twice";
        }

        if (options.Admin.Address is { } admin && listen.Any(address => address.Plain == admin))
        {
            yield return $"--admin and --listen are both {admin}: they need different addresses";
        }

        if (options.Admin is { Address: null, Token: not null }) yield return "--admin-token-file needs --admin, which is off";

        foreach (var seed in upstream.Seeds.Select(TransportAddress.Of).Where(seed => listen.Any(address => address.Plain == seed.Plain)))
        {
            yield return $"--upstream and --listen are both {seed}: the proxy would connect to itself";
        }

        if (upstream.Shape != UpstreamShape.Sentinel && (options.Logins.SentinelUser is not null || options.Logins.SentinelPassword is not null))
        {
            yield return "--sentinel-user and --sentinel-password-file need --upstream redis+sentinel://";
        }
        else if (options.Logins.SentinelUser is not null && options.Logins.SentinelPassword is null)
        {
            yield return "--sentinel-user needs --sentinel-password-file";
        }

        if (server.AnnounceHost is not null && upstream.Shape != UpstreamShape.Cluster)
        {
            yield return "--announce-host needs --upstream redis+cluster://";
        }

        if (server.MergeKeyspace && upstream.Shape != UpstreamShape.Cluster)
        {
            yield return "--merge-keyspace needs --upstream redis+cluster://";
        }

        foreach (var fault in TlsFaults.Of(options)) yield return fault;

        var forwarding = options.Forwarder.Initial;
        if (forwarding.DeclareQueueType is not null && forwarding.DeclareQueue is null)
        {
            yield return "--declare-queue-type needs --declare-queue";
        }

        if (forwarding.DeclareQueue is "")
        {
            yield return "--declare-queue must not be empty";
        }
        else if (forwarding.DeclareQueue is { } queue && queue.StartsWith("amq.", StringComparison.Ordinal))
        {
            yield return $"--declare-queue must not begin with amq., which RabbitMQ keeps for itself: {Printable.Quote(queue)}";
        }
        else if (forwarding.DeclareQueue is { } other && forwarding.Exchange.Length == 0 && forwarding.RoutingKey != other)
        {
            yield return "--declare-queue cannot be bound to the exchange without a name: that one takes the queue's name as --routing-key";
        }
        else if (ConfigFaults.Of(forwarding) is { } fault)
        {
            yield return fault;
        }
    }

    private static bool IsAnyPort(TransportAddress address) => address is { UnixPath: null, Port: 0 };
}
