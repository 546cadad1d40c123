namespace KeyEvt.Proxy.Session;

/// <summary>Why did a session end? The first reason is kept; later reasons are consequences of it.</summary>
internal enum SessionEndReason
{
    /// <summary>The session is running.</summary>
    None,

    /// <summary>Client side: it sent FIN. FIN was passed on to the upstream, which sent its last replies and closed.</summary>
    ClientClosed,

    /// <summary>Client side: the connection broke.</summary>
    ClientReset,

    /// <summary>
    /// Client side: it sent FIN while an intercepted command waited for its place and other requests waited behind it, and the grace period ran out.
    /// </summary>
    ClientLeftWaiting,

    /// <summary>Client side: its bytes are not RESP. It got an error and was closed.</summary>
    ProtocolError,

    /// <summary>Client side: it speaks HTTP. It was closed without a reply, as Redis does.</summary>
    ForeignProtocol,

    /// <summary>Client side: it did not read, and more merged notifications waited for it than Redis itself would keep for a subscriber.</summary>
    SubscriberTooSlow,

    /// <summary>Client side: nothing passed in either direction for longer than --idle-timeout.</summary>
    IdleTimeout,

    /// <summary>Upstream side, connecting: it refused, or did not accept within the deadline. The client's connection is reset.</summary>
    UpstreamUnreachable,

    /// <summary>Upstream side: it sent FIN, which was passed on to the client behind all bytes.</summary>
    UpstreamClosed,

    /// <summary>Upstream side: the connection broke. The client gets FIN behind all bytes.</summary>
    UpstreamReset,

    /// <summary>Upstream side: the nodes have changed, and the session should be connected to another place (another master, another address).</summary>
    UpstreamMoved,

    /// <summary>Upstream side: while an intercepted command waited, bytes came that are not RESP.</summary>
    UpstreamProtocolError,

    /// <summary>
    /// Interception: the place of an intercepted command did not show in time. There are two causes. The client has silenced its replies in a way that hides
    /// the place: CLIENT REPLY OFF inside or in front of MULTI, or without the right to switch replies on again. Or it was the first intercepted command at an
    /// upstream that could not be asked before, and that does not answer, or not as Redis does.
    /// </summary>
    PlaceLost,

    /// <summary>
    /// Interception: the client sent a key_evt_amqp command, but the upstream does not name unknown commands, so no reply could be put in its place. It got an
    /// error and was closed.
    /// </summary>
    PlaceUnknown,

    /// <summary>The proxy is stopping.</summary>
    Stopping,

    /// <summary>A bug in the proxy; logged as an error.</summary>
    Fault,
}
