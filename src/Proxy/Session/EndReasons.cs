using System.Net.Sockets;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Session;

/// <summary>Which end reason does an exception in a pump stand for, and do bytes that are still under way reach the other side?</summary>
internal static class EndReasons
{
    /// <param name="reading">
    /// The side that the pump reads from. An exception concerns that side: writing to a broken connection throws nothing, its flush reports "completed".
    /// </param>
    public static SessionEndReason Classify(Exception exception, Side reading) => exception switch
    {
        IOException or SocketException or ObjectDisposedException or OperationCanceledException => reading == Side.Client ? SessionEndReason.ClientReset : SessionEndReason.UpstreamReset,
        RespProtocolException => SessionEndReason.UpstreamProtocolError,
        _ => SessionEndReason.Fault,
    };

    /// <summary>
    /// Whether the other side still receives the bytes that are under way. If not, both connections are cut. UpstreamReset counts as orderly: Redis often
    /// resets a connection that it means to close, since CLIENT KILL and the output buffer limit leave requests unread. So the client still gets everything
    /// that came before the reset, and then FIN.
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
