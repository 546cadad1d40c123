using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>Which process is at the other end of a connection?</summary>
/// <param name="RunId">All 40 hexadecimal digits; empty if INFO is refused.</param>
/// <param name="Version">The version that INFO gives. For Valkey it is the Redis version that it is compatible with.</param>
/// <param name="Server">The kind of server, and its own version.</param>
internal sealed record NodeIdentity(string RunId, string Version, ServerEvents Server, bool IsCluster = false)
{
    private const int Digits = 16;

    /// <summary>The part of the run id that positions contain.</summary>
    /// <param name="unknown">Stands in its place if it is not known.</param>
    public ulong RunNumber(string unknown) => Number(RunId) ?? Number(unknown) ?? 0;

    private static ulong? Number(string text) =>
        text.Length >= Digits && ulong.TryParse(text.AsSpan(0, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;
}
