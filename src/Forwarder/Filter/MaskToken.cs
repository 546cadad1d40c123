namespace KeyEvt.Forwarder.Filter;

/// <summary>Which bytes may stand at one place of a mask, and how often?</summary>
/// <param name="Value">The byte; meaningless if <paramref name="IsAny"/>.</param>
/// <param name="IsAny">Whether every byte matches.</param>
/// <param name="IsStar">Whether zero or more bytes match; otherwise exactly one.</param>
internal readonly record struct MaskToken(byte Value, bool IsAny, bool IsStar);
