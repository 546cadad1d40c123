using System.Globalization;
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

    private readonly string _directory;
    private readonly FileStream _lock;
    private readonly List<SpoolSegment> _segments = [];
    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private volatile SpoolStatus _status = new(0, 0);
    private long _head;
    private bool _isHeadWritten = true;

    /// <exception cref="IOException">The directory cannot be used; the message says why.</exception>
    public LocalSpool(string directory, ILogger? logger = null)
    {
        (_directory, _logger) = (directory, logger ?? NullLogger.Instance);
        Directory.CreateDirectory(directory);
        try
        {
            _lock = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"the spool directory {directory} is in use by another program: {e.Message}", e);
        }

        _head = ReadHead();
        foreach (var path in Directory.GetFiles(directory, "*.spool").Order(StringComparer.Ordinal))
            OpenSegment(path, long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture));

        // The head file is written lazily: what it forgot is sent again. It cannot point before the first file, nor past the last.
        _head = _segments.Count == 0 ? _head : Math.Clamp(_head, _segments[0].FirstIndex, _segments[^1].EndIndex);
        DropReadSegments();
        ShowStatus();
    }

    public string Folder => _directory;

    /// <summary>Entries and bytes of files, as of the last step; asks nothing of the disk.</summary>
    public SpoolStatus Status => _status;

    /// <summary>Bytes that were not whole records when the spool was opened.</summary>
    public long DamagedBytes { get; private set; }

    public long Count
    {
        get
        {
            lock (_gate)
                return Entries;
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
            var name = first.ToString("D19", CultureInfo.InvariantCulture) + ".spool";
            OpenSegment(Path.Combine(_directory, name), first);
        }

        _segments[^1].Append(entries);
        return new AppendResult(Count, 0);
    });

    public Task<ReadResult> ReadAsync(long offset, ReadOnlyMemory<byte> front, int maxEntries, int maxBytes) => RunAsync(() =>
    {
        if (!front.IsEmpty && !(TryReadFront(out var first) && first.AsSpan().StartsWith(front.Span)))
            return new ReadResult(Count, [], IsFrontMoved: true);

        var entries = new List<ReadOnlyMemory<byte>>();
        var (skip, bytes) = (offset, 0L);
        foreach (var segment in _segments)
        {
            var begin = Math.Max(_head, segment.FirstIndex);
            var skipped = Math.Min(skip, segment.EndIndex - begin);
            skip -= skipped;
            for (var index = begin + skipped; index < segment.EndIndex && entries.Count < maxEntries && bytes < maxBytes; index++)
            {
                entries.Add(segment.Read(index));
                bytes += entries[^1].Length;
            }
        }

        return new ReadResult(Count, entries);
    });

    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries) => RunAsync(() =>
    {
        if (!IsFront(entries))
            return new RemoveResult(Count, IsRemoved: false);

        foreach (var _ in entries)
            _head = Math.Max(_head, _segments.Find(s => s.EndIndex > _head)!.FirstIndex) + 1;
        DropReadSegments();
        WriteHead();
        return new RemoveResult(Count, IsRemoved: true);
    });

    public Task<long> CountAsync() => Task.FromResult(Count);

    public void Dispose()
    {
        foreach (var segment in _segments)
            segment.Dispose();

        _lock.Dispose();
    }

    private bool IsFront(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var index = _head;
        foreach (var entry in entries)
        {
            if (_segments.Find(s => s.EndIndex > index) is not { } segment)
                return false;

            index = Math.Max(index, segment.FirstIndex);
            if (!segment.Read(index).AsSpan().SequenceEqual(entry.Span))
                return false;

            index++;
        }

        return true;
    }

    private bool TryReadFront([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out byte[]? entry)
    {
        var segment = _segments.Find(s => s.EndIndex > _head);
        _head = Math.Max(_head, segment?.FirstIndex ?? _head);
        entry = segment?.Read(_head);
        return entry is not null;
    }

    private void OpenSegment(string path, long first)
    {
        var segment = SpoolSegment.Open(path, first);
        _segments.Add(segment);
        DamagedBytes += segment.DamagedBytes;
        if (segment.DamagedBytes > 0)
            FallbackLog.SpoolDamaged(_logger, path, segment.DamagedBytes);
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

    private long ReadHead()
    {
        var path = Path.Combine(_directory, "head");
        return File.Exists(path) && long.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var head) ? head : 0;
    }

    /// <summary>
    /// As far as the disk lets it: a full one must not keep files from being read and removed, which is what makes room again. What the head has
    /// forgotten is sent again after a crash.
    /// </summary>
    private void WriteHead()
    {
        var path = Path.Combine(_directory, "head");
        try
        {
            File.WriteAllText(path + ".new", _head.ToString(CultureInfo.InvariantCulture));
            File.Move(path + ".new", path, overwrite: true);
            _isHeadWritten = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_isHeadWritten)
                FallbackLog.SpoolHeadNotWritten(_logger, e.Message);

            _isHeadWritten = false;
        }
    }

    private void ShowStatus() => _status = new SpoolStatus(Entries, _segments.Sum(s => (long)s.Bytes));

    private Task<T> RunAsync<T>(Func<T> step)
    {
        try
        {
            lock (_gate)
            {
                var result = step();
                ShowStatus();
                return Task.FromResult(result);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return Task.FromException<T>(new StoreException($"the spool in {_directory} cannot be used: {e.Message}", e) { IsRefusal = true });
        }
    }
}
