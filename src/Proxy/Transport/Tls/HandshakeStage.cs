namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How far has a client come on its way to a session?</summary>
internal enum HandshakeStage
{
    /// <summary>Its ClientHello has not come, or not all of it.</summary>
    Silent,

    /// <summary>Its ClientHello has come; the client waits for its handshake.</summary>
    Waiting,

    /// <summary>The handshake runs.</summary>
    Shaking,

    /// <summary>It is over: the client became a session, has gone, or was put out.</summary>
    Over,
}
