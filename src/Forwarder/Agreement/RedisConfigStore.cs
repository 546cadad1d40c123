using System.Globalization;
using KeyEvt.Forwarder.Fallback.Lists;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>Keeps the configuration of a group in Redis, under one key: <c>version text</c>. It is compared and set in one step, by a script.</summary>
/// <param name="place">Finds the master.</param>
/// <param name="key">See <see cref="Keys.FallbackKey.ConfigOf"/>.</param>
/// <param name="moved">Notes where the key is, if an error tells it; null: it is where <paramref name="place"/> says.</param>
internal sealed class RedisConfigStore(Func<ValueTask<StorePlace>> place, string key, MovedKey? moved = null) : IConfigStore
{
    /// <summary>While a slot moves, two nodes may name each other.</summary>
    private const int MostMoves = 3;

    /// <summary>What is kept, and its version: what has none counts as 0, see <see cref="KeptConfig"/>.</summary>
    private const string Kept = """
        local kept = redis.call('GET', KEYS[1])
        local version = kept and string.match(kept, '^(%d+) ') or '0'
        if #version > 18 then version = '0' end

        """;

    /// <summary>ARGV: the expected version, the text. Returns 1 if it is kept now.</summary>
    internal const string Write = Kept + """
        if kept and version ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1
        """;

    /// <summary>ARGV: the version, the text.</summary>
    internal const string Restore = Kept + """
        if kept and tonumber(version) >= tonumber(ARGV[1]) then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1
        """;

    public Task<string?> ReadAsync() => TryAsync(async () =>
    {
        var at = await place().ConfigureAwait(false);
        return (string?)await at.Database.StringGetAsync(key, at.Flags).ConfigureAwait(false);
    });

    public async Task<bool> TryWriteAsync(long expected, long version, string text) => await RunAsync(Write, expected, version, text).ConfigureAwait(false);

    public async Task RestoreAsync(long version, string text) => await RunAsync(Restore, version, version, text).ConfigureAwait(false);

    private Task<bool> RunAsync(string script, long compared, long version, string text) => TryAsync(async () =>
    {
        var at = await place().ConfigureAwait(false);
        var value = string.Create(CultureInfo.InvariantCulture, $"{version} {text}");
        return (bool)await at.Database.ScriptEvaluateAsync(script, [key], [compared, value], at.Flags).ConfigureAwait(false);
    });

    private async Task<T> TryAsync<T>(Func<Task<T>> step)
    {
        for (var moves = 0; ; moves++)
        {
            try
            {
                return await step().ConfigureAwait(false);
            }
            catch (Exception e) when (RedisListStore.IsExpected(e))
            {
                if (moves < MostMoves && moved is not null && await moved.TryFollowAsync(e).ConfigureAwait(false)) continue;

                moved?.Forget();
                throw new ConfigStoreException(RedisErrorText.Of(e), e) { IsRefusal = e is RedisServerException };
            }
        }
    }
}
