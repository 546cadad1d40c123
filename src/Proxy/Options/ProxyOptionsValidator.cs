using System.Net;

namespace KeyEvt.Proxy.Options;

/// <summary>Do options that are right one by one also fit together?</summary>
internal static class ProxyOptionsValidator
{
    /// <summary>One line per fault.</summary>
    public static IEnumerable<string> Faults(ProxyOptions options)
    {
        var listen = options.Listen.Where(address => !IsAnyPort(address)).Select(EndPointText.Format).ToList();
        foreach (string twice in listen.GroupBy(address => address).Where(group => group.Count() > 1).Select(group => group.Key))
            yield return $"--listen names {twice} twice";

        if (options.Admin is { } admin && listen.Contains(EndPointText.Format(admin)))
            yield return $"--admin and --listen are both {EndPointText.Format(admin)}: they need different addresses";

        if (listen.Contains(UpstreamText(options)))
            yield return $"--upstream and --listen are both {UpstreamText(options)}: the proxy would connect to itself";

        var forwarding = options.Forwarding;
        if (forwarding.DeclareQueue is "")
            yield return "--declare-queue must not be empty";
        else if (forwarding.DeclareQueue is { } queue && queue.StartsWith("amq.", StringComparison.Ordinal))
            yield return $"--declare-queue must not begin with amq., which RabbitMQ keeps for itself: {Printable.Quote(queue)}";
        else if (forwarding.DeclareQueue is { } other && forwarding.Exchange.Length == 0 && forwarding.RoutingKey != other)
            yield return "--declare-queue cannot be bound to the exchange without a name: that one takes the queue's name as --routing-key";
    }

    private static string UpstreamText(ProxyOptions options) =>
        options.Upstream.Path is { } path ? $"unix:{path}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{options.Upstream.Host}:{options.Upstream.Port}");

    private static bool IsAnyPort(EndPoint address) => address is IPEndPoint { Port: 0 } or DnsEndPoint { Port: 0 };
}
