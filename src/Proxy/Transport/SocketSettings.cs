namespace KeyEvt.Proxy.Transport;

/// <summary>What can users set for sockets?</summary>
internal sealed record SocketSettings
{
    /// <summary>
    /// Redis' own default of tcp-keepalive. The first probe is sent after so many seconds of silence, then one after each third of it; after 3 without an
    /// answer the peer is dead. 0: no probes.
    /// </summary>
    public int KeepAliveSeconds { get; init; } = 300;

    /// <summary>The mode of a unix socket that is listened on; null: the process' umask decides.</summary>
    public UnixFileMode? UnixSocketMode { get; init; }
}
