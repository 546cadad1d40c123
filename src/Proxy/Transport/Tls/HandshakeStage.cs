namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How far has a client come on its way to a session?</summary>
internal enum HandshakeStage
{
    /// <summary>Its ClientHello has not come, or not all of it.</summary>
    Silent,

    /// <summary>It has come; the client waits for its turn.</summary>
    Waiting,

    /// <summary>The handshake runs.</summary>
    Shaking,

    /// <summary>It is over: the client was let in, has gone, or was put out.</summary>
    Over,
}
