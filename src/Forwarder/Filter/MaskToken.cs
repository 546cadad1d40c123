namespace KeyEvt.Forwarder.Filter;

/// <summary>Which bytes may stand at one place of a mask, and how often?</summary>
/// <param name="Value">The byte; without meaning when <paramref name="IsAny"/>.</param>
/// <param name="IsAny">Every byte will do.</param>
/// <param name="IsStar">Zero or more of them, otherwise exactly one.</param>
internal readonly record struct MaskToken(byte Value, bool IsAny, bool IsStar);
