using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// How do events get into the Redis list and out of it? Each step is one script, so a crash leaves it either done or not done. An entry is
/// <c>\x01&lt;message_id&gt;\n&lt;body&gt;</c>, or a plain body that redis-event-stream-module has left there. After a failover the list is on
/// another node. The entries that were stored last and are missing there are stored again before anything else.
/// </summary>
/// <param name="find">Tells where the list is.</param>
/// <param name="hint">Called when the node answers that the list is on another node.</param>
/// <param name="fence">The term that the list is used with.</param>
/// <param name="termKey">Where the term of the list's holder stands.</param>
internal sealed class RedisListStore(string key, Func<ValueTask<StorePlace>> find, Action<string> hint, ILogger logger, ListFence fence, string termKey) : IEventStore
{
    /// <summary>How many bytes of the list's end are kept in memory, if a failover can move the list to another node.</summary>
    private const long RecentBytes = 8 * 1024 * 1024;

    /// <summary>How many entries are stored again in one step, and below that how many bytes.</summary>
    private const int RestoredAtOnce = 512;

    private const int RestoredBytesAtOnce = 256 * 1024;

    private static readonly string[] Elsewhere = ["MOVED ", "ASK ", "CLUSTERDOWN ", "TRYAGAIN ", "READONLY "];

    /// <summary>A script that runs for long, a restart, a replica without its master: nobody has to do anything, and it is worth a longer wait than a missing right.</summary>
    private static readonly string[] Busy = ["BUSY ", "LOADING ", "MASTERDOWN "];

    private RecentEntries _recent = new(RecentBytes);
    private string? _place;

    public Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry) => TryAsync(async () =>
    {
        var place = await ArriveAsync().ConfigureAwait(false);
        var result = await AppendAsync(place, entries, cap, isRetry).ConfigureAwait(false);
        if (place.Name.Length == 0) return result;

        _recent.Add(entries);
        _recent.KeepLast(result.Length);
        // An acknowledgement by a node that has been replaced meanwhile is worthless, so the place is looked up again.
        place = await find().ConfigureAwait(false);
        if (place.Name == _place) return result;

        await ArriveAsync().ConfigureAwait(false);
        return result with { Length = await CountAsync(place).ConfigureAwait(false) };
    });

    public Task<ReadResult> ReadAsync(long offset, StoreEnds? before, int maxEntries, int maxBytes) => TryAsync(async () =>
    {
        RedisValue[] arguments = before is null ? [offset, maxEntries, maxBytes] : [offset, maxEntries, maxBytes, before.First, before.Last];
        var answer = await RunAsync(await ArriveAsync().ConfigureAwait(false), ListScripts.Read, arguments).ConfigureAwait(false);
        var entries = (RedisValue[]?)answer[2] ?? [];
        return new ReadResult((long)answer[0], Array.ConvertAll(entries, static e => (ReadOnlyMemory<byte>)e), IsOther: (long)answer[1] == 0);
    });

    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore) => TryAsync(async () =>
    {
        RedisValue[] arguments = [entries.Count, StoreSteps.HeadOf(entries[0]), StoreSteps.HeadOf(entries[^1]), lengthBefore ?? -1];
        var answer = await RunAsync(await ArriveAsync().ConfigureAwait(false), ListScripts.Remove, arguments).ConfigureAwait(false);
        _recent.KeepLast((long)answer[0]);
        return new RemoveResult((long)answer[0], (long)answer[1] == 1);
    });

    public Task<long> CountAsync() => TryAsync(async () =>
    {
        var place = await ArriveAsync().ConfigureAwait(false);
        var length = await CountAsync(place).ConfigureAwait(false);
        _recent.KeepLast(length);
        return length;
    });

    /// <summary>The next holder stores again what a failover has lost; this program knows no longer what is still to be sent.</summary>
    public void Forget() => (_recent, _place) = (new RecentEntries(RecentBytes), null);

    /// <summary>Finds the list. If it is on another node than before, first stores the recent entries there that are missing.</summary>
    private async Task<StorePlace> ArriveAsync()
    {
        var place = await find().ConfigureAwait(false);
        if (_place is { } old && place.Name != old)
        {
            var missing = _recent.Count == 0 ? [] : _recent.After(await place.Database.ListGetByIndexAsync(key, -1, place.Flags).ConfigureAwait(false));
            foreach (var batch in Batches(missing)) await AppendAsync(place, batch, cap: 0, isRetry: true).ConfigureAwait(false);
            FallbackLog.Moved(logger, place.Name, old, missing.Count);
        }

        _place = place.Name;
        return place;
    }

    private async Task<AppendResult> AppendAsync(StorePlace place, IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry)
    {
        RedisValue[] arguments = [cap, StoreSteps.MostTrimmed(entries.Count), isRetry ? 1 : 0, .. entries.Select(static entry => (RedisValue)entry)];
        var answer = await RunAsync(place, ListScripts.Append, arguments).ConfigureAwait(false);
        return new AppendResult((long)answer[0], (long)answer[1]);
    }

    private static IEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> Batches(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        for (var next = 0; next < entries.Count;)
        {
            var batch = new List<ReadOnlyMemory<byte>>();
            for (long bytes = 0; next < entries.Count && batch.Count < RestoredAtOnce && bytes < RestoredBytesAtOnce; next++)
            {
                batch.Add(entries[next]);
                bytes += entries[next].Length;
            }

            yield return batch;
        }
    }

    private async Task<long> CountAsync(StorePlace place) => (long)(await RunAsync(place, ListScripts.Count, []).ConfigureAwait(false))[0];

    private async Task<RedisResult[]> RunAsync(StorePlace place, string script, RedisValue[] arguments)
    {
        var term = fence.Term;
        var answer = (RedisResult[])(await place.Database.ScriptEvaluateAsync(script, [key, termKey], [.. arguments, term], place.Flags).ConfigureAwait(false))!;
        if ((long)answer[0] >= 0) return answer;

        // Above the largest number of 64 bits it is nobody's term, and nothing could ever be above it.
        var isTerm = long.TryParse((string?)answer[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seen);
        var text = string.Create(CultureInfo.InvariantCulture, $"the fallback storage belongs to another member of the group: {termKey} says {answer[1]}, and the term here is {term}");
        throw new StoreException(text) { IsRefusal = true, FencedBy = isTerm ? seen : null };
    }

    private async Task<T> TryAsync<T>(Func<Task<T>> step)
    {
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (Exception e) when (IsExpected(e))
        {
            if (IsElsewhere(e)) hint("the fallback storage is on another node");
            throw Failure(e);
        }
    }

    internal static bool IsExpected(Exception e) => e is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or IOException or ExternalException or OperationCanceledException;

    /// <summary>An error reply (OOM, READONLY, NOPERM, MISCONF ...) is a refusal. After any other error the step may have been done.</summary>
    internal static StoreException Failure(Exception e) => new(RedisErrorText.Of(e), e) { IsRefusal = e is RedisServerException, IsPassing = IsElsewhere(e) || (e is RedisServerException && Busy.Any(word => e.Message.StartsWith(word, StringComparison.Ordinal))) };

    /// <summary>Whether the slot is moving, has moved, or is not served yet. The topology then finds out where it is.</summary>
    private static bool IsElsewhere(Exception e) => e is RedisServerException && Elsewhere.Any(word => e.Message.Contains(word, StringComparison.Ordinal));
}
