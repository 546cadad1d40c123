namespace KeyEvt.Proxy.Session;

/// <summary>How long does a session wait for what may never come?</summary>
internal sealed record SessionDeadlines
{
    /// <summary>For the upstream to accept.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For the client's own close after everything was sent to it. Meanwhile its bytes are read away: closing a socket with unread bytes resets it, and
    /// what was sent last could be lost on its way.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For the place of an intercepted command, once its client has sent FIN and other requests wait behind it.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the place of an intercepted command that may not come at all: in a session that has used CLIENT REPLY OFF or SKIP, or at an upstream that nobody could ask before.</summary>
    public TimeSpan SilentPlace { get; init; } = TimeSpan.FromSeconds(30);
}
