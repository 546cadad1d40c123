namespace KeyEvt.Proxy.Check;

/// <summary>How did one trial end?</summary>
internal enum CheckOutcome
{
    Works,

    /// <summary>Works, but there is something to know.</summary>
    Note,

    /// <summary>Works with less than was asked for, or may fail later.</summary>
    Warning,

    /// <summary>Does not work; the exit code is 1.</summary>
    Fails,
}

/// <summary>What was tried, how did it end, and what helps? One line each; no secret.</summary>
internal sealed record CheckRow(CheckOutcome Outcome, string What, string Finding, string? Remedy = null);
