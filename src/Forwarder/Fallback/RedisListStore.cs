using System.Runtime.InteropServices;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// How do events get into the Redis list and out of it? Each step is one script, so a crash leaves it done or not done.
/// An entry is <c>\x01&lt;message_id&gt;\n&lt;body&gt;</c>, or a plain body that the replaced module left there.
/// </summary>
internal sealed class RedisListStore(Func<ValueTask<IDatabase>> database) : IEventStore
{
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

    public async Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry)
    {
        var arguments = new RedisValue[entries.Count + 2];
        arguments[0] = cap;
        arguments[1] = isRetry ? 1 : 0;
        for (var i = 0; i < entries.Count; i++)
            arguments[i + 2] = entries[i];

        var answer = await RunAsync(Append, arguments).ConfigureAwait(false);
        return new AppendResult((long)answer[0], (long)answer[1]);
    }

    public async Task<ReadResult> ReadAsync(long offset, int maxEntries)
    {
        var answer = await RunAsync(Read, [offset, maxEntries]).ConfigureAwait(false);
        var entries = (RedisValue[]?)answer[1] ?? [];
        return new ReadResult((long)answer[0], Array.ConvertAll(entries, static e => (ReadOnlyMemory<byte>)e));
    }

    public async Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore)
    {
        var arguments = new RedisValue[entries.Count + 1];
        arguments[0] = lengthBefore ?? -1;
        for (var i = 0; i < entries.Count; i++)
            arguments[i + 1] = entries[i];

        var answer = await RunAsync(Remove, arguments).ConfigureAwait(false);
        return new RemoveResult((long)answer[0], (long)answer[1]);
    }

    public async Task<long> CountAsync()
    {
        try
        {
            return await (await database().ConfigureAwait(false)).ListLengthAsync(FallbackKey.Name).ConfigureAwait(false);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw Failure(e);
        }
    }

    private async Task<RedisResult[]> RunAsync(string script, RedisValue[] arguments)
    {
        try
        {
            var answer = await (await database().ConfigureAwait(false)).ScriptEvaluateAsync(script, [FallbackKey.Name], arguments).ConfigureAwait(false);
            return (RedisResult[])answer!;
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw Failure(e);
        }
    }

    private static bool IsExpected(Exception e) => e is RedisException or TimeoutException or ObjectDisposedException or IOException or ExternalException or OperationCanceledException;

    /// <summary>An error reply (OOM, READONLY, NOPERM, MISCONF ...) is a refusal; anything else may have been done all the same.</summary>
    private static StoreException Failure(Exception e) => new(e.Message.ReplaceLineEndings(" "), e) { IsRefusal = e is RedisServerException };
}
