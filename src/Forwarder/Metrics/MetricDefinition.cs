namespace KeyEvt.Forwarder.Metrics;

/// <summary>What is measured under one name? Instruments are made of it, and docs/metrics.md is.</summary>
/// <param name="Kind">How it is to be read.</param>
/// <param name="Name">Of the instrument: <c>keyevt.area.what</c>.</param>
/// <param name="Unit">As UCUM writes it: <c>s</c>, <c>By</c>, or what is counted in braces, <c>{event}</c>; empty for 0 or 1.</param>
/// <param name="Meaning">For people, one or two sentences.</param>
/// <param name="Labels">Names of the tags, always all of them; none: there is one series.</param>
public sealed record MetricDefinition(MetricKind Kind, string Name, string Unit, string Meaning, params string[] Labels);
