namespace KeyEvt.Proxy.Barrier;

/// <summary>Is the client due a reply at this place?</summary>
internal enum ReplyMode
{
    On,

    /// <summary>CLIENT REPLY SKIP stood directly in front.</summary>
    Skipped,

    /// <summary>CLIENT REPLY OFF is in force.</summary>
    Off,
}
