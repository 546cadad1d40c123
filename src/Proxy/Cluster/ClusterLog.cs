using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>What is logged about the ports that lead to the nodes of a cluster? Event ids 1020 to 1023, 1104, 1105.</summary>
internal static partial class ClusterLog
{
    [LoggerMessage(1020, LogLevel.Information, "Node {Node} ({Address}) of the cluster is reached by {Listening}")]
    public static partial void NodePortOpened(ILogger logger, string node, string address, string listening);

    [LoggerMessage(1021, LogLevel.Information, "The port of node {Node} of the cluster closes: the node is gone. Its sessions end by themselves")]
    public static partial void NodePortClosed(ILogger logger, string node);

    [LoggerMessage(1022, LogLevel.Warning, "Port {Port} cannot be taken for a node of the cluster: {Reason}; the next one is tried")]
    public static partial void NodePortTaken(ILogger logger, int port, string reason);

    [LoggerMessage(1023, LogLevel.Error, "There is no port for node {Node} ({Address}) of the cluster: between {First} and {Last} all are taken")]
    public static partial void NoNodePort(ILogger logger, string node, string address, int first, int last);

    [LoggerMessage(1104, LogLevel.Debug, "A reply through the port of a cluster's node is no RESP (a replication stream, as a rule): from here on the session is copied as it comes. {Reason}")]
    public static partial void NotFramed(ILogger logger, string reason);

    [LoggerMessage(1105, LogLevel.Warning, "A cluster node sent a client to {Host}:{Port}, which the topology does not know: the address is passed on as it is, so the client goes there past the proxy; more of these within a minute are not logged")]
    public static partial void UnknownNode(ILogger logger, string host, int port);
}
