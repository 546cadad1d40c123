namespace KeyEvt.Proxy.Transport;

/// <summary>What do users choose about sockets?</summary>
internal sealed record SocketSettings
{
    /// <summary>Redis' own tcp-keepalive: the first probe after so many seconds of silence, then every third of it, dead after 3. 0: no probes.</summary>
    public int KeepAliveSeconds { get; init; } = 300;

    /// <summary>Of a unix socket that is listened on; null: as the process' umask gives.</summary>
    public UnixFileMode? UnixSocketMode { get; init; }
}
