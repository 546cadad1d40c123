namespace KeyEvt.Proxy.Barrier;

/// <summary>How did an intercepted request end?</summary>
internal enum InterceptionOutcome
{
    /// <summary>It was run, or answered.</summary>
    Ok,

    /// <summary>The client may not use it at all, or not at this place (inside MULTI).</summary>
    Refused,

    /// <summary>Its reply is an error.</summary>
    Error,
}
