namespace KeyEvt.Proxy.Barrier;

/// <summary>How did the waiting for a barrier end?</summary>
internal enum BarrierEnd
{
    /// <summary>Its place has come, and the command is through.</summary>
    Passed,

    /// <summary>Its place has come, but the upstream must be asked a second question.</summary>
    AskUser,

    /// <summary>The upstream's replies have ended before.</summary>
    Lost,
}
