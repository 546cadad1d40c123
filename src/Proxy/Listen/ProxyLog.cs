using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy;

/// <summary>What do listener, sessions and interception say? Ids: 1000 listener, 1100 session, 1200 intercept.</summary>
internal static partial class ProxyLog
{
    [LoggerMessage(1000, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(1001, LogLevel.Warning, "Accepting on {Address} pauses: {Reason}. It goes on when resources are back ({Pauses} pauses so far)")]
    public static partial void AcceptPaused(ILogger logger, string address, string reason, long pauses);

    [LoggerMessage(1002, LogLevel.Information, "Accepting on {Address} goes on")]
    public static partial void AcceptResumed(ILogger logger, string address);

    [LoggerMessage(1003, LogLevel.Critical, "Accepting on {Address} has failed for good")]
    public static partial void AcceptFailed(ILogger logger, string address, Exception exception);

    [LoggerMessage(1004, LogLevel.Debug, "A client of {Address} was gone before it was accepted: {Reason}")]
    public static partial void AcceptMissed(ILogger logger, string address, string reason);

    [LoggerMessage(1005, LogLevel.Information, "Stopped accepting; {Sessions} sessions to end")]
    public static partial void Stopping(ILogger logger, int sessions);

    [LoggerMessage(1006, LogLevel.Warning, "{Sessions} sessions did not end in time and were cut")]
    public static partial void StopCut(ILogger logger, int sessions);

    [LoggerMessage(1012, LogLevel.Error, "The TLS handshake of a client of {Address} ({Client}) failed by a fault of the proxy")]
    public static partial void HandshakeFault(ILogger logger, string address, string client, Exception exception);

    [LoggerMessage(1013, LogLevel.Error, "Ending the connection of a refused client failed by a fault of the proxy")]
    public static partial void EndFault(ILogger logger, Exception exception);

    [LoggerMessage(1011, LogLevel.Error, "{Sessions} sessions did not end though both their connections were cut; they are not waited for")]
    public static partial void SessionsHang(ILogger logger, int sessions);

    [LoggerMessage(1007, LogLevel.Warning, "A client of {Address} ({Client}) did not get through the TLS handshake: {Reason}; more of these within 10 seconds are logged at level debug")]
    public static partial void HandshakeRefused(ILogger logger, string address, string client, string reason);

    [LoggerMessage(1008, LogLevel.Debug, "A client of {Address} ({Client}) did not get through the TLS handshake: {Reason}")]
    public static partial void HandshakeRefusedToo(ILogger logger, string address, string client, string reason);

    [LoggerMessage(1009, LogLevel.Warning, "{Limit} clients are connected, as many as --max-clients allows: further ones are refused")]
    public static partial void ClientsRefused(ILogger logger, int limit);

    [LoggerMessage(1010, LogLevel.Warning, "--max-clients {Wanted} needs {Needed} open files, but this process may have {Allowed}: it is lowered to {Limit}; raise the limit of open files (ulimit -n, LimitNOFILE)")]
    public static partial void MaxClientsLowered(ILogger logger, int wanted, long needed, long allowed, int limit);

    [LoggerMessage(1100, LogLevel.Debug, "Session {Id} of {Client} begins")]
    public static partial void SessionBegins(ILogger logger, long id, string client);

    [LoggerMessage(1101, LogLevel.Debug, "Session {Id} ends: {Reason}")]
    public static partial void SessionEnds(ILogger logger, long id, SessionEndReason reason);

    [LoggerMessage(1102, LogLevel.Error, "Session {Id} ends by a fault of the proxy")]
    public static partial void SessionFault(ILogger logger, long id, Exception exception);

    [LoggerMessage(1103, LogLevel.Debug, "Session {Id}: upstream {Upstream} cannot be reached: {Reason}")]
    public static partial void UpstreamUnreachable(ILogger logger, long id, string upstream, string reason);

    [LoggerMessage(1112, LogLevel.Warning, "Clients are refused (their connections are reset), as upstream {Upstream} cannot be reached: {Reason}; {Refused} so far. The same within 10 seconds is logged at level debug")]
    public static partial void ClientsReset(ILogger logger, string upstream, string reason, long refused);

    [LoggerMessage(1113, LogLevel.Information, "Upstream {Upstream} is reached again; {Refused} clients were refused meanwhile")]
    public static partial void UpstreamReached(ILogger logger, string upstream, long refused);

    [LoggerMessage(1104, LogLevel.Debug, "A reply through the cluster door is no RESP (a replication stream, as a rule): from here on the session is copied as it comes. {Reason}")]
    public static partial void NotFramed(ILogger logger, string reason);

    [LoggerMessage(1105, LogLevel.Warning, "A cluster node sent a client to {Host}:{Port}, which the topology does not know: the address is passed on as it is, past the door; more of these within a minute are not logged")]
    public static partial void UnknownNode(ILogger logger, string host, int port);

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

    [LoggerMessage(1020, LogLevel.Information, "Door to node {Node} ({Address}) of the cluster opens on {Listening}")]
    public static partial void DoorOpened(ILogger logger, string node, string address, string listening);

    [LoggerMessage(1021, LogLevel.Information, "Door to node {Node} of the cluster closes: the node is gone; its sessions end by themselves")]
    public static partial void DoorClosed(ILogger logger, string node);

    [LoggerMessage(1022, LogLevel.Warning, "Port {Port} cannot be taken for the door to a node: {Reason}; the next one is tried")]
    public static partial void DoorPortTaken(ILogger logger, int port, string reason);

    [LoggerMessage(1023, LogLevel.Error, "There is no port for the door to node {Node} ({Address}) of the cluster: between {First} and {Last} all are taken")]
    public static partial void NoDoorPort(ILogger logger, string node, string address, int first, int last);

    [LoggerMessage(1200, LogLevel.Information, "Upstream {Upstream} echoes unknown commands: key_evt_amqp commands are answered here")]
    public static partial void InterceptionOn(ILogger logger, TransportAddress upstream);

    [LoggerMessage(1201, LogLevel.Warning, "Upstream {Upstream} does not name an unknown command in its error, so the place of a reply cannot be found: key_evt_amqp commands are refused; asked again at the next one")]
    public static partial void InterceptionOff(ILogger logger, TransportAddress upstream);

    [LoggerMessage(1202, LogLevel.Debug, "Upstream {Upstream} could not be asked how it answers unknown commands: {Reason}; asked again at the next key_evt_amqp command")]
    public static partial void ProbeFailed(ILogger logger, TransportAddress upstream, string reason);

    [LoggerMessage(1204, LogLevel.Debug, "Session {Id}: asks on its own connection how the upstream answers unknown commands")]
    public static partial void AsksHere(ILogger logger, long id);

    [LoggerMessage(1203, LogLevel.Error, "Command {Command} failed by a fault of the proxy")]
    public static partial void CommandFault(ILogger logger, string command, Exception exception);
}
