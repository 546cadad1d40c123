using System.Globalization;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which process is at the other end of a connection?</summary>
/// <param name="RunId">All 40 hexadecimal digits, or empty when INFO is refused.</param>
internal sealed record NodeIdentity(string RunId, string Version)
{
    /// <summary>The part of the run id that is in positions; 0 when it is not known.</summary>
    public ulong RunNumber =>
        RunId.Length >= 16 && ulong.TryParse(RunId.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong number) ? number : 0;
}
