using System.Globalization;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>What does Redis keep of the group's configuration?</summary>
/// <param name="Version">The number in front of it; 0 if nothing is kept, or nothing with a version.</param>
/// <param name="Shared">Null: nothing is kept, or it cannot be read.</param>
/// <param name="IsUnreadable">Something is kept, but no member with the same secret has written it, or it is damaged. It is to be replaced.</param>
internal readonly record struct KeptConfig(long Version, SharedConfig? Shared, bool IsUnreadable)
{
    /// <summary>Longer numbers are no versions. The scripts of <see cref="RedisConfigStore"/> count in the same way.</summary>
    private const int MostDigits = 18;

    /// <exception cref="ConfigStoreException">Redis cannot be asked at the moment.</exception>
    public static async Task<KeptConfig> ReadAsync(IConfigStore store, ConfigInForce inForce, TimeProvider time)
    {
        if (await store.ReadAsync().ConfigureAwait(false) is not { } text) return default;

        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space is <= 0 or > MostDigits || !long.TryParse(text.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            return new KeptConfig(0, null, IsUnreadable: true);
        }

        // A version is made of the clock. No member's clock is a day ahead.
        var isPlausible = version <= time.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds();
        var shared = isPlausible ? inForce.ReadSealed(text[(space + 1)..]) : null;
        return shared?.Version == version ? new KeptConfig(version, shared, IsUnreadable: false) : new KeptConfig(version, null, IsUnreadable: true);
    }
}
