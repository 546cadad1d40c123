namespace KeyEvt.Proxy.Barrier;

/// <summary>How did an intercepted command end?</summary>
internal enum InterceptionOutcome
{
    /// <summary>It was run, or answered.</summary>
    Ok,

    /// <summary>The client may not use it, or may not here (inside MULTI).</summary>
    Refused,

    /// <summary>Its reply is an error.</summary>
    Error,
}
