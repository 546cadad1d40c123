namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>What does one connection send in one go, before any other connection sends more?</summary>
/// <param name="Connection">Which of the session's connections.</param>
/// <param name="Direct">The bytes for Redis itself.</param>
/// <param name="Proxied">The bytes for the proxy: the same, but for a command of the proxy's own where the other has one with the same answer.</param>
/// <param name="Marker">What the last reply ends with; null when the connection is to be closed by then.</param>
/// <param name="Cut">How the bytes are cut into writes, and how many are read at once.</param>
internal sealed record Turn(int Connection, byte[] Direct, byte[] Proxied, string? Marker, Cutting Cut);

/// <param name="Seed">Of the sizes.</param>
/// <param name="LargestWrite">1: one byte at a time.</param>
/// <param name="LargestRead">1: one byte at a time.</param>
internal sealed record Cutting(int Seed, int LargestWrite, int LargestRead);
