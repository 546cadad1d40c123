namespace KeyEvt.Proxy.Session;

/// <summary>Why did a session end? The first reason wins; what follows from it is not one.</summary>
internal enum SessionEndReason
{
    /// <summary>Running.</summary>
    None,

    /// <summary>Client side: it sent FIN; passed on to the upstream, which answered what it had and closed.</summary>
    ClientClosed,

    /// <summary>Client side: the connection broke.</summary>
    ClientReset,

    /// <summary>Client side: it sent FIN while an intercepted command waited for its place and others waited behind it, and the grace time ran out.</summary>
    ClientLeftWaiting,

    /// <summary>Client side: its bytes are not RESP; told so and closed.</summary>
    ProtocolError,

    /// <summary>Client side: it speaks HTTP; closed without a word, as Redis does.</summary>
    ForeignProtocol,

    /// <summary>Client side: it did not read, and more merged notifications waited for it than Redis itself would keep for a subscriber.</summary>
    SubscriberTooSlow,

    /// <summary>Client side: nothing passed in either direction for longer than --idle-timeout.</summary>
    IdleTimeout,

    /// <summary>Upstream side, connecting: refused, or not within the deadline. The client is reset, as it would be refused by Redis.</summary>
    UpstreamUnreachable,

    /// <summary>Upstream side: it sent FIN; passed on to the client after all bytes.</summary>
    UpstreamClosed,

    /// <summary>Upstream side: the connection broke; the client gets FIN behind all bytes.</summary>
    UpstreamReset,

    /// <summary>Upstream side: the nodes have changed, and what this session was connected to is not where it belongs any more (another master, another address).</summary>
    UpstreamMoved,

    /// <summary>Upstream side, while an intercepted command waited: its bytes are not RESP.</summary>
    UpstreamProtocolError,

    /// <summary>
    /// Interception: the place of an intercepted command did not show in time. The client has silenced its replies in a way that hides it (CLIENT REPLY OFF inside or in front of
    /// MULTI, or without the right to switch replies on); or it was the first one at an upstream that nobody could ask before, and that does not answer, or not as Redis does.
    /// </summary>
    PlaceLost,

    /// <summary>Interception: the client gave a key_evt_amqp command, and the upstream does not name unknown commands, so no reply could be put in its place; told so and closed.</summary>
    PlaceUnknown,

    /// <summary>The proxy stops.</summary>
    Stopping,

    /// <summary>A bug; logged as an error.</summary>
    Fault,
}
