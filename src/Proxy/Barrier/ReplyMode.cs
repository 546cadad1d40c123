namespace KeyEvt.Proxy.Barrier;

/// <summary>Is the client due a reply at this place?</summary>
internal enum ReplyMode
{
    On,

    /// <summary>CLIENT REPLY SKIP stood in front.</summary>
    Skipped,

    /// <summary>After CLIENT REPLY OFF.</summary>
    Off,
}
