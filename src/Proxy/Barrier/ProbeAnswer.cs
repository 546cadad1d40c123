namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// What did the upstream answer between two marks? Exactly one reply is expected; none, or more than one, counts as <see cref="FrameKind.Other"/>.
/// </summary>
/// <param name="Kind">Never <see cref="FrameKind.Unknown"/> or <see cref="FrameKind.OutOfBand"/>.</param>
/// <param name="Bytes">The whole frame; empty when it was too long to keep.</param>
internal readonly record struct ProbeAnswer(FrameKind Kind, ReadOnlyMemory<byte> Bytes);
