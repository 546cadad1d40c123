using System.Globalization;
using KeyEvt.Forwarder.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// Where do events wait when Redis cannot take them either? In an append-only log in a directory of this machine
/// (<c>--spool</c>): files of records with a checksum each, and a small file that says how far it has been read. A batch is on disk
/// before it counts. A crash at any point gives an entry twice at most. One program uses one directory.
/// </summary>
internal sealed class LocalSpool : IEventStore, IDisposable
{
    private const int SegmentBytes = 16 * 1024 * 1024;

    private readonly SpoolFolder _folder;
    private readonly List<SpoolSegment> _segments = [];
    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private volatile SpoolStatus _status = new(0, 0);
    private long _head;
    private bool _isHeadWritten = true;

    /// <exception cref="SpoolException">The directory cannot be used, or something in it is not what this program left there.</exception>
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

    /// <summary>Entries and bytes of files, as of the last step; asks nothing of the disk.</summary>
    public SpoolStatus Status => _status;

    /// <summary>Bytes that were not whole records when the spool was opened, or read.</summary>
    public long DamagedBytes { get; private set; }

    /// <summary>Entries that went with files that somebody removed while the program ran.</summary>
    public long RemovedEntries { get; private set; }

    /// <summary>Entries not removed yet. A look at the files is part of it.</summary>
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
                    // the next step finds the same, and says it
                }

                return Entries;
            }
        }
    }

    /// <summary>Counted file by file: where a damaged one was cut off, numbers are missing before the next.</summary>
    private long Entries => _segments.Sum(s => Math.Max(0, s.EndIndex - Math.Max(_head, s.FirstIndex)));

    /// <summary>Appends; <paramref name="cap"/> and <paramref name="isRetry"/> mean nothing here: a failed append leaves nothing behind.</summary>
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

    /// <summary>Of what is before the offset only the first is looked at: nobody else changes the files, but for taking them away.</summary>
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

    /// <summary>Null when it is damaged; the file then ends before it.</summary>
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

    /// <summary>The head is written lazily, so it may point before the first file: what it forgot is sent again. Past the last file it can point only where that was cut off as damaged.</summary>
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

    /// <summary>Files that somebody has removed are let go: a removed file can still be read and written, and all that is in it is gone when the program ends.</summary>
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
    /// As far as the disk lets it: a full one must not keep files from being read and removed, which is what makes room again. What the head has
    /// forgotten is sent again after a crash.
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
