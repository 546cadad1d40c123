using System.Net.Sockets;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Session;

/// <summary>What does an exception in a pump mean, and is there anything left to be delivered after an end?</summary>
internal static class EndReasons
{
    /// <param name="reading">The side the pump reads from: writing reports a broken side by a completed flush, not by an exception.</param>
    public static SessionEndReason Classify(Exception exception, Side reading) => exception switch
    {
        IOException or SocketException or ObjectDisposedException or OperationCanceledException => reading == Side.Client ? SessionEndReason.ClientReset : SessionEndReason.UpstreamReset,
        RespProtocolException => SessionEndReason.UpstreamProtocolError,
        _ => SessionEndReason.Fault,
    };

    /// <summary>
    /// Whether the other side still gets what is on its way; otherwise both connections are cut. Redis often breaks a connection where it means to close it
    /// (CLIENT KILL and the output limit leave requests unread), so its client gets everything that came before, and then FIN.
    /// </summary>
    public static bool IsOrderly(SessionEndReason reason) => reason is
        SessionEndReason.ClientClosed or
        SessionEndReason.UpstreamClosed or
        SessionEndReason.UpstreamReset or
        SessionEndReason.UpstreamMoved or
        SessionEndReason.ProtocolError or
        SessionEndReason.PlaceUnknown or
        SessionEndReason.Stopping;
}

/// <summary>Which of a session's two connections?</summary>
internal enum Side
{
    Client,
    Upstream,
}
