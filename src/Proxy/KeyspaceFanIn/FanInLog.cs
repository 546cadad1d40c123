using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>What is logged about <c>--merge-keyspace</c>? Event ids 1106 to 1111.</summary>
internal static partial class FanInLog
{
    [LoggerMessage(1106, LogLevel.Debug, "A merged subscription lost its connection to {Node}, or did not get one: {Reason}")]
    public static partial void MergeLinkLost(ILogger logger, TransportAddress node, string reason);

    [LoggerMessage(1107, LogLevel.Warning, "Node {Node} refuses a subscription that --merge-keyspace needs, so its subscribers do not hear that node: {Error}. The login of --upstream needs the commands subscribe, psubscribe, unsubscribe, punsubscribe and ping, and these very channels and patterns (or &*); tried again every few seconds, and not logged for a minute")]
    public static partial void MergeRefused(ILogger logger, TransportAddress node, string error);

    [LoggerMessage(1108, LogLevel.Warning, "A subscriber of merged notifications was told so before these masters are heard: {Nodes}; they follow as soon as they answer. More of these within a minute are not logged")]
    public static partial void MergeIncomplete(ILogger logger, string nodes);

    [LoggerMessage(1109, LogLevel.Warning, "Session {Id} is ended: its client does not read, and {Limit} bytes of merged notifications wait for it; {Count} so far, and more within a minute are not logged")]
    public static partial void SubscriberTooSlow(ILogger logger, long id, int limit, long count);

    [LoggerMessage(1110, LogLevel.Warning, "A subscriber of merged notifications hears its own node only from here on, until it subscribes again: {Reason}. More of these within a minute are not logged")]
    public static partial void MergeGivenUp(ILogger logger, string reason);

    [LoggerMessage(1111, LogLevel.Error, "A merged subscription lost its connection to {Node} by a fault of the proxy; its session ends")]
    public static partial void MergeLinkFault(ILogger logger, TransportAddress node, Exception exception);
}
