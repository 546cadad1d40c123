using System.Globalization;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>What does Redis keep of the group's configuration?</summary>
/// <param name="Version">0: nothing is kept.</param>
/// <param name="Shared">Null: nothing is kept, or it cannot be read.</param>
internal readonly record struct KeptConfig(long Version, SharedConfig? Shared)
{
    /// <summary>Reads what Redis keeps. What cannot be read has its version, so that it can be replaced.</summary>
    public static async Task<KeptConfig> ReadAsync(IConfigStore store, ConfigInForce inForce, ILogger logger)
    {
        if (await store.ReadAsync().ConfigureAwait(false) is not { } text) return default;

        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var hasVersion = long.TryParse(text.AsSpan(0, Math.Max(space, 0)), NumberStyles.None, CultureInfo.InvariantCulture, out var version);
        var shared = hasVersion ? inForce.ReadSealed(text[(space + 1)..]) : null;
        if (shared?.Version == version) return new KeptConfig(version, shared);

        AgreementLog.KeptUnreadable(logger);
        return new KeptConfig(version, null);
    }
}
