namespace KeyEvt.Forwarder;

/// <summary>One section of what the engine knows of itself; printed by info, read by metrics and pages.</summary>
public sealed record InfoSection(string Name, IReadOnlyList<KeyValuePair<string, string>> Fields);
