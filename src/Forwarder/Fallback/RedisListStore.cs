using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// How do events get into the Redis list and out of it? Each step is one script, so a crash leaves it done or not done.
/// An entry is <c>\x01&lt;message_id&gt;\n&lt;body&gt;</c>, or a plain body that the replaced module left there. When another node has the list, after a failover, the
/// entries that were stored last and did not get there are stored again before anything else.
/// </summary>
/// <param name="find">Where the list is now.</param>
/// <param name="hint">Told when the node there says that it is somewhere else.</param>
internal sealed class RedisListStore(string key, Func<ValueTask<StorePlace>> find, Action<string> hint, ILogger logger) : IEventStore
{
    /// <summary>How much of the end of the list is kept in memory, where another node may take the list's place.</summary>
    private const long RecentBytes = 8 * 1024 * 1024;

    /// <summary>Entries stored again in one step.</summary>
    private const int RestoreBatch = 1000;

    private static readonly string[] Elsewhere = ["MOVED ", "ASK ", "CLUSTERDOWN ", "TRYAGAIN ", "READONLY "];

    private readonly RecentEntries _recent = new(RecentBytes);
    private string? _place;

    /// <summary>
    /// ARGV: cap, is-retry, entries. On a retry, nothing is appended when the end of the list is this very batch already: the
    /// first try had arrived, only its answer had not. Returns length and how many the cap dropped.
    /// </summary>
    private const string Append = """
        local key, cap, n = KEYS[1], tonumber(ARGV[1]), #ARGV - 2
        local there = false
        if ARGV[2] == '1' then
            there = redis.call('LINDEX', key, -1) == ARGV[#ARGV] and redis.call('LINDEX', key, -n) == ARGV[3]
        end
        if not there then
            for i = 3, #ARGV, 1000 do
                redis.call('RPUSH', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
            end
        end
        local length, trimmed = redis.call('LLEN', key), 0
        if cap > 0 and length > cap then
            trimmed = length - cap
            redis.call('LTRIM', key, trimmed, -1)
            length = cap
        end
        return {length, trimmed}
        """;

    /// <summary>ARGV: offset, count. Returns length and entries.</summary>
    private const string Read = """
        return {redis.call('LLEN', KEYS[1]), redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1)}
        """;

    /// <summary>
    /// ARGV: length before a failed first try or -1, then the entries, as read from the front. When the list is shorter by them
    /// already, the first try had arrived. When they still are the front they are cut off at once; otherwise (the cap or somebody
    /// else took some) each is removed by its value. Returns length and how many were removed.
    /// </summary>
    private const string Remove = """
        local key, n, removed, before = KEYS[1], #ARGV - 1, 0, tonumber(ARGV[1])
        if before >= 0 and redis.call('LLEN', key) <= before - n then
            removed = n
        elseif redis.call('LINDEX', key, 0) == ARGV[2] and redis.call('LINDEX', key, n - 1) == ARGV[n + 1] then
            redis.call('LTRIM', key, n, -1)
            removed = n
        else
            for i = 2, n + 1 do removed = removed + redis.call('LREM', key, 1, ARGV[i]) end
        end
        return {redis.call('LLEN', key), removed}
        """;

    public Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry) => TryAsync(async () =>
    {
        var place = await ArriveAsync().ConfigureAwait(false);
        var result = await AppendAsync(place, entries, cap, isRetry).ConfigureAwait(false);
        if (place.Name.Length == 0)
            return result;

        _recent.Add(entries);
        _recent.KeepLast(result.Length);
        // Acknowledged by one that has been replaced meanwhile: that counts for nothing.
        place = await find().ConfigureAwait(false);
        if (place.Name == _place)
            return result;

        await ArriveAsync().ConfigureAwait(false);
        return result with { Length = await place.Database.ListLengthAsync(key, place.Flags).ConfigureAwait(false) };
    });

    public Task<ReadResult> ReadAsync(long offset, int maxEntries) => TryAsync(async () =>
    {
        var answer = await RunAsync(await ArriveAsync().ConfigureAwait(false), Read, [offset, maxEntries]).ConfigureAwait(false);
        var entries = (RedisValue[]?)answer[1] ?? [];
        return new ReadResult((long)answer[0], Array.ConvertAll(entries, static e => (ReadOnlyMemory<byte>)e));
    });

    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore) => TryAsync(async () =>
    {
        var arguments = new RedisValue[entries.Count + 1];
        arguments[0] = lengthBefore ?? -1;
        for (var i = 0; i < entries.Count; i++)
            arguments[i + 1] = entries[i];

        var answer = await RunAsync(await ArriveAsync().ConfigureAwait(false), Remove, arguments).ConfigureAwait(false);
        _recent.KeepLast((long)answer[0]);
        return new RemoveResult((long)answer[0], (long)answer[1]);
    });

    public Task<long> CountAsync() => TryAsync(async () =>
    {
        var place = await ArriveAsync().ConfigureAwait(false);
        var length = await place.Database.ListLengthAsync(key, place.Flags).ConfigureAwait(false);
        _recent.KeepLast(length);
        return length;
    });

    /// <summary>Where the list is now; when that is not where it was, nothing is done there before it has what was stored last.</summary>
    private async Task<StorePlace> ArriveAsync()
    {
        var place = await find().ConfigureAwait(false);
        if (_place is { } old && place.Name != old)
        {
            var missing = _recent.Count == 0 ? [] : _recent.After(await place.Database.ListGetByIndexAsync(key, -1, place.Flags).ConfigureAwait(false));
            foreach (var batch in missing.Chunk(RestoreBatch))
                await AppendAsync(place, batch, cap: 0, isRetry: true).ConfigureAwait(false);
            FallbackLog.Moved(logger, place.Name, old, missing.Count);
        }

        _place = place.Name;
        return place;
    }

    private async Task<AppendResult> AppendAsync(StorePlace place, IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry)
    {
        var arguments = new RedisValue[entries.Count + 2];
        arguments[0] = cap;
        arguments[1] = isRetry ? 1 : 0;
        for (var i = 0; i < entries.Count; i++)
            arguments[i + 2] = entries[i];

        var answer = await RunAsync(place, Append, arguments).ConfigureAwait(false);
        return new AppendResult((long)answer[0], (long)answer[1]);
    }

    private async Task<RedisResult[]> RunAsync(StorePlace place, string script, RedisValue[] arguments) =>
        (RedisResult[])(await place.Database.ScriptEvaluateAsync(script, [key], arguments, place.Flags).ConfigureAwait(false))!;

    private async Task<T> TryAsync<T>(Func<Task<T>> step)
    {
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (Exception e) when (IsExpected(e))
        {
            if (IsElsewhere(e))
                hint("the fallback storage is on another node");
            throw Failure(e);
        }
    }

    internal static bool IsExpected(Exception e) => e is RedisException or TimeoutException or ObjectDisposedException or IOException or ExternalException or OperationCanceledException;

    /// <summary>An error reply (OOM, READONLY, NOPERM, MISCONF ...) is a refusal; anything else may have been done all the same.</summary>
    internal static StoreException Failure(Exception e) => new(e.Message.ReplaceLineEndings(" "), e) { IsRefusal = e is RedisServerException, IsPassing = IsElsewhere(e) };

    /// <summary>The slot moves, or has moved, or nobody serves it yet: the topology will say where it is.</summary>
    private static bool IsElsewhere(Exception e) => e is RedisServerException && Elsewhere.Any(word => e.Message.Contains(word, StringComparison.Ordinal));
}
