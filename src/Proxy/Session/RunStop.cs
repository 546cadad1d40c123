namespace KeyEvt.Proxy.Session;

/// <summary>Why did a run of ordinary requests end?</summary>
internal enum RunStop
{
    /// <summary>All bytes are used up.</summary>
    NeedMore,

    /// <summary>A whole request that may concern the proxy.</summary>
    Candidate,

    /// <summary>The client speaks HTTP.</summary>
    ForeignProtocol,

    /// <summary>The bytes are not RESP.</summary>
    Malformed,
}
