namespace KeyEvt.Proxy.Barrier;

/// <summary>How did the wait for a barrier end?</summary>
internal enum BarrierEnd
{
    /// <summary>Its place was reached, and the intercepted command is done.</summary>
    Passed,

    /// <summary>Its place was reached, but the upstream must be asked a second question.</summary>
    AskUser,

    /// <summary>The upstream's replies ended before its place was reached.</summary>
    Lost,
}
