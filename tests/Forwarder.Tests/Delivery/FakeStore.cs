using System.Text;
using KeyEvt.Forwarder.Fallback;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>A fallback list in memory with the promises of the real one, and failures on demand: before or after a step took effect.</summary>
internal sealed class FakeStore : IEventStore
{
    public List<string> Entries { get; } = [];

    /// <summary>How the next steps fail: null not at all, false before they take effect, true after.</summary>
    public Queue<bool?> Failures { get; } = new();

    public bool IsDown { get; set; }

    /// <summary>Steps wait for it before they take effect; null: they do not wait.</summary>
    public Task? Until { get; set; }

    /// <summary>What it says while it is down.</summary>
    public string Reason { get; set; } = "the fake store is down";

    /// <summary>Another member of the group has this term, and all steps are refused for it; null: nobody has a higher one.</summary>
    public long? FencedBy { get; set; }

    /// <summary>Steps of any kind that were asked for.</summary>
    public int Steps { get; private set; }

    /// <summary>How often it was told to forget.</summary>
    public int Forgotten { get; private set; }

    /// <summary>Reads that were asked for.</summary>
    public int Reads { get; private set; }

    /// <summary>Counts that were asked for.</summary>
    public int Counts { get; private set; }

    /// <summary>Appends above it are refused, as by a Redis without memory.</summary>
    public int Capacity { get; set; } = int.MaxValue;

    public Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry) => StepAsync(() =>
    {
        var texts = entries.Select(TextOf).ToList();
        if (Entries.Count + texts.Count > Capacity) throw new StoreException("OOM") { IsRefusal = true };

        if (texts.Count > 0 && (!isRetry || !Entries.TakeLast(texts.Count).SequenceEqual(texts))) Entries.AddRange(texts);

        var trimmed = cap > 0 ? Math.Clamp(Entries.Count - (int)cap, 0, (int)StoreSteps.MostTrimmed(texts.Count)) : 0;
        Entries.RemoveRange(0, trimmed);
        return new AppendResult(Entries.Count, trimmed);
    });

    public Task<ReadResult> ReadAsync(long offset, StoreEnds? before, int maxEntries, int maxBytes) => StepAsync(() =>
    {
        Reads++;
        if (before is not null && !(Entries.Count >= offset && Entries[0].StartsWith(TextOf(before.First), StringComparison.Ordinal) && Entries[(int)offset - 1].StartsWith(TextOf(before.Last), StringComparison.Ordinal)))
        {
            return new ReadResult(Entries.Count, [], IsOther: true);
        }

        var read = new List<ReadOnlyMemory<byte>>();
        for (int i = (int)offset, bytes = 0; i < Entries.Count && read.Count < maxEntries && bytes < maxBytes; i++)
        {
            read.Add(Encoding.UTF8.GetBytes(Entries[i]));
            bytes += read[^1].Length;
        }

        return new ReadResult(Entries.Count, read);
    });

    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore) => StepAsync(() =>
    {
        var isFront = (lengthBefore is null || Entries.Count == lengthBefore) && Entries.Take(entries.Count).SequenceEqual(entries.Select(TextOf));
        if (isFront) Entries.RemoveRange(0, entries.Count);
        return new RemoveResult(Entries.Count, isFront);
    });

    public Task<long> CountAsync()
    {
        Counts++;
        return StepAsync(() => (long)Entries.Count);
    }

    public void Forget() => Forgotten++;

    private async Task<T> StepAsync<T>(Func<T> step)
    {
        Steps++;
        if (Until is { } until) await until;
        return await AtOnceAsync(step);
    }

    private Task<T> AtOnceAsync<T>(Func<T> step)
    {
        if (FencedBy is { } term) return Task.FromException<T>(new StoreException("another term") { IsRefusal = true, FencedBy = term });

        var failure = IsDown ? false : Failures.TryDequeue(out var next) ? next : null;
        if (failure == false) return Task.FromException<T>(new StoreException(Reason) { IsRefusal = true });

        T result;
        try
        {
            result = step();
        }
        catch (StoreException e)
        {
            return Task.FromException<T>(e);
        }

        return failure == true ? Task.FromException<T>(new StoreException("the answer got lost")) : Task.FromResult(result);
    }

    private static string TextOf(ReadOnlyMemory<byte> entry) => Encoding.UTF8.GetString(entry.Span);
}
