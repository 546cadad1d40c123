namespace KeyEvt.Forwarder;

/// <summary>One section of the engine's report; printed by info, and used by pages.</summary>
public sealed record InfoSection(string Name, IReadOnlyList<KeyValuePair<string, string>> Fields);
