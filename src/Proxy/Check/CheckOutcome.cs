namespace KeyEvt.Proxy.Check;

/// <summary>How did one check end?</summary>
internal enum CheckOutcome
{
    Works,

    /// <summary>Works, but there is something worth knowing.</summary>
    Note,

    /// <summary>Works with less than was asked for, or may fail later.</summary>
    Warning,

    /// <summary>Does not work; the exit code is 1.</summary>
    Fails,
}
