namespace KeyEvt.Proxy.Check;

/// <summary>What was tried, how did it end, and what helps? One line each, without secrets.</summary>
internal sealed record CheckRow(CheckOutcome Outcome, string What, string Finding, string? Remedy = null);
