namespace KeyEvt.Proxy.Session;

/// <summary>How long does a session wait for what may never come?</summary>
internal sealed record SessionDeadlines
{
    /// <summary>How long the upstream may take to accept the connection.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the client may take to close its side after everything was sent to it. Meanwhile its bytes are read and dropped. A socket that is closed with
    /// unread bytes resets the connection, and the bytes that were sent last could be lost.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an intercepted command may wait for its place once its client has sent FIN, and more must go upstream behind it.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to wait for the place of an intercepted command where the place may never come: the client has used CLIENT REPLY OFF or SKIP, or the upstream
    /// could not be asked before.
    /// </summary>
    public TimeSpan SilentPlace { get; init; } = TimeSpan.FromSeconds(30);
}
