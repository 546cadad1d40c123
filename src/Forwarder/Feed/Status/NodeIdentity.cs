using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>Which process is at the other end of a connection?</summary>
/// <param name="RunId">All 40 hexadecimal digits, or empty when INFO is refused.</param>
/// <param name="Version">As INFO has it: of Valkey that of the Redis it is compatible with.</param>
/// <param name="Server">Its kind, and its own version.</param>
internal sealed record NodeIdentity(string RunId, string Version, ServerEvents Server, bool IsCluster = false)
{
    private const int Digits = 16;

    /// <summary>The part of the run id that is in positions. Where it is not known, the feed's own nonce stands for it.</summary>
    public ulong RunNumber(string nonce) => Number(RunId) ?? Number(nonce) ?? 0;

    private static ulong? Number(string text) =>
        text.Length >= Digits && ulong.TryParse(text.AsSpan(0, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;
}
