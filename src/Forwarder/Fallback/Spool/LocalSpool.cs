using System.Globalization;
using KeyEvt.Forwarder.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Where do events wait when Redis cannot store them either? In an append-only log in a directory of this machine (<c>--spool</c>): files of records,
/// each with a checksum, and a small file that says how far the log has been read. A batch counts as stored when it is on disk. A crash at any point
/// makes an entry appear twice at most. Only one program may use a directory.
/// </summary>
internal sealed class LocalSpool : IEventStore, IDisposable
{
    private const int SegmentBytes = 16 * 1024 * 1024;

    private readonly SpoolFolder _folder;
    private readonly List<SpoolSegment> _segments = [];

    /// <summary>
    /// Guards all fields but <see cref="_status"/>. Each step of the store runs inside it. Metrics and reports read <see cref="DamagedBytes"/>
    /// without it, and may see it late.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly ILogger _logger;

    /// <summary>An immutable snapshot. Replaced at the end of each step, under <see cref="_gate"/>; any thread reads it without the lock.</summary>
    private volatile SpoolStatus _status = new(0, 0);
    private long _head;
    private bool _isHeadWritten = true;

    /// <exception cref="SpoolException">The directory cannot be used, or holds something that this program has not left there.</exception>
    /// <exception cref="IOException">Another program uses the directory.</exception>
    public LocalSpool(string directory, ILogger? logger = null)
    {
        _logger = logger ?? NullLogger.Instance;
        _folder = new SpoolFolder(directory, _logger);
        try
        {
            _head = SpoolHead.Read(_folder);
            foreach (var (path, first) in _folder.Segments) OpenSegment(path, first);

            _head = CheckedHead();
        }
        catch
        {
            Dispose();
            throw;
        }

        DropReadSegments();
        ShowStatus();
    }

    public string Folder => _folder.Path;

    /// <summary>Entries, and bytes in files, after the last step. Does not access the disk.</summary>
    public SpoolStatus Status => _status;

    /// <summary>Bytes found that were not whole records, when the spool was opened or read.</summary>
    public long DamagedBytes { get; private set; }

    /// <summary>Entries that were lost with files that somebody removed while the program ran.</summary>
    public long RemovedEntries { get; private set; }

    /// <summary>Entries that are not removed yet. Also looks for removed files.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
            {
                try
                {
                    LetGoOfRemovedFiles();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The next step meets the same error and reports it.
                }

                return Entries;
            }
        }
    }

    /// <summary>Counted file by file: if a damaged file was cut off, index numbers are missing between it and the next file.</summary>
    private long Entries => _segments.Sum(s => Math.Max(0, s.EndIndex - Math.Max(_head, s.FirstIndex)));

    /// <summary>
    /// Appends. <paramref name="cap"/> and <paramref name="isRetry"/> are ignored: there is no cap, and a failed append leaves nothing behind.
    /// </summary>
    public Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry) => RunAsync(() =>
    {
        if (_segments.Count == 0 || _segments[^1].Bytes >= SegmentBytes)
        {
            var first = _segments.Count == 0 ? _head : _segments[^1].EndIndex;
            _segments.Add(SpoolSegment.Create(_folder.SegmentPath(first), first));
            _folder.Flush();
        }

        _segments[^1].Append(entries);
        return new AppendResult(Entries, 0);
    });

    /// <summary>Only the first of the entries in front of the offset is compared: nobody else changes the files, except by removing them.</summary>
    public Task<ReadResult> ReadAsync(long offset, StoreEnds? before, int maxEntries, int maxBytes) => RunAsync(() =>
    {
        if (before is not null && !(TryReadFront(out var first) && first.AsSpan().StartsWith(before.First.Span)))
        {
            return new ReadResult(Entries, [], IsOther: true);
        }

        var entries = new List<ReadOnlyMemory<byte>>();
        var (skip, bytes) = (offset, 0L);
        foreach (var segment in _segments)
        {
            var begin = Math.Max(_head, segment.FirstIndex);
            var skipped = Math.Clamp(segment.EndIndex - begin, 0, skip);
            skip -= skipped;
            for (var index = begin + skipped; index < segment.EndIndex && entries.Count < maxEntries && bytes < maxBytes; index++)
            {
                if (TryRead(segment, index) is not { } entry) continue;

                entries.Add(entry);
                bytes += entry.Length;
            }
        }

        return new ReadResult(Entries, entries);
    });

    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore) => RunAsync(() =>
    {
        if ((lengthBefore is not null && Entries != lengthBefore) || !IsFront(entries)) return new RemoveResult(Entries, IsRemoved: false);

        foreach (var _ in entries) _head = Math.Max(_head, _segments.Find(s => s.EndIndex > _head)!.FirstIndex) + 1;
        DropReadSegments();
        WriteHead();
        return new RemoveResult(Entries, IsRemoved: true);
    });

    public Task<long> CountAsync() => RunAsync(() => Entries);

    public void Dispose()
    {
        foreach (var segment in _segments) segment.Dispose();

        _folder.Dispose();
    }

    private bool IsFront(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var index = _head;
        foreach (var entry in entries)
        {
            byte[]? found = null;
            while (found is null && _segments.Find(s => s.EndIndex > index) is { } segment)
            {
                index = Math.Max(index, segment.FirstIndex);
                found = TryRead(segment, index);
            }

            if (found is null || !found.AsSpan().SequenceEqual(entry.Span)) return false;

            index++;
        }

        return true;
    }

    private bool TryReadFront([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out byte[]? entry)
    {
        entry = null;
        while (entry is null && _segments.Find(s => s.EndIndex > _head) is { } segment)
        {
            _head = Math.Max(_head, segment.FirstIndex);
            entry = TryRead(segment, _head);
        }

        return entry is not null;
    }

    /// <summary>Reads one entry. Returns null if it is damaged; the file is then cut off in front of it.</summary>
    private byte[]? TryRead(SpoolSegment segment, long index)
    {
        try
        {
            return segment.Read(index);
        }
        catch (InvalidDataException)
        {
            var before = segment.DamagedBytes;
            segment.CutFrom(index);
            NoteDamage(segment.Path, segment.DamagedBytes - before);
            return null;
        }
    }

    private void OpenSegment(string path, long first)
    {
        if (_segments.Count > 0 && _segments[^1].EndIndex > first)
        {
            throw new SpoolException(Folder, $"{path} begins before {_segments[^1].Path} ends; one of them belongs to another spool");
        }

        try
        {
            _segments.Add(SpoolSegment.Open(path, first));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(Folder, $"{path} cannot be used: {e.Message}", e);
        }

        NoteDamage(path, _segments[^1].DamagedBytes);
    }

    private void NoteDamage(string path, long bytes)
    {
        DamagedBytes += bytes;
        if (bytes > 0) FallbackLog.SpoolDamaged(_logger, path, bytes);
    }

    /// <summary>
    /// Checks the head against the files. The head is written lazily, so it may point in front of the first file; those entries are sent again. It
    /// may point behind the last file only if that file was cut off because of damage.
    /// </summary>
    private long CheckedHead()
    {
        if (_segments.Count == 0) return _head;

        var last = _segments[^1];
        if (_head > last.EndIndex && last.DamagedBytes == 0)
        {
            throw new SpoolException(Folder, string.Create(CultureInfo.InvariantCulture, $"{_folder.HeadPath} says that {_head} entries were read, but {last.Path} ends at {last.EndIndex}: a file is missing, or one is of another spool"));
        }

        return Math.Clamp(_head, _segments[0].FirstIndex, last.EndIndex);
    }

    /// <summary>
    /// Stops using files that somebody has removed. A removed file that is open can still be read and written, but everything in it is gone when the
    /// program ends.
    /// </summary>
    private void LetGoOfRemovedFiles()
    {
        if (_segments.TrueForAll(static segment => segment.IsStillThere))
        {
            _folder.MakeAgainIfGone();
            return;
        }

        var before = Entries;
        var removed = _segments.FindAll(static segment => !segment.IsStillThere);
        _segments.RemoveAll(removed.Contains);
        foreach (var segment in removed) segment.Dispose();

        RemovedEntries += before - Entries;
        FallbackLog.SpoolFilesRemoved(_logger, removed.Count, Folder, before - Entries);
        ShowStatus();
        _folder.MakeAgainIfGone();
    }

    private void DropReadSegments()
    {
        while (_segments.Count > 0 && _segments[0].EndIndex <= _head)
        {
            _segments[0].Dispose();
            File.Delete(_segments[0].Path);
            _segments.RemoveAt(0);
        }
    }

    /// <summary>
    /// Writes the head if the disk permits. A full disk must not stop files from being read and removed, since that makes room again. After a crash,
    /// entries that the written head does not cover are sent again.
    /// </summary>
    private void WriteHead()
    {
        try
        {
            SpoolHead.Write(_folder, _head);
            _isHeadWritten = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_isHeadWritten) FallbackLog.SpoolHeadNotWritten(_logger, e.Message);

            _isHeadWritten = false;
        }
    }

    private void ShowStatus() => _status = new SpoolStatus(Entries, _segments.Sum(s => s.Bytes));

    private Task<T> RunAsync<T>(Func<T> step)
    {
        try
        {
            lock (_gate)
            {
                LetGoOfRemovedFiles();
                var result = step();
                ShowStatus();
                return Task.FromResult(result);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Task.FromException<T>(new StoreException(CleanText.Line($"the spool in {Folder} cannot be used: {e.Message}"), e) { IsRefusal = true });
        }
    }
}
