using System.Globalization;

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
    private long _head;

    /// <exception cref="IOException">The directory cannot be used; the message says why.</exception>
    public LocalSpool(string directory)
    {
        _directory = directory;
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
            _segments.Add(SpoolSegment.Open(path, long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture)));

        // The head file is written lazily: what it forgot is sent again. It cannot point before the first file, nor past the last.
        _head = _segments.Count == 0 ? _head : Math.Clamp(_head, _segments[0].FirstIndex, _segments[^1].EndIndex);
    }

    public long Count
    {
        get
        {
            lock (_gate)
                return _segments.Count == 0 ? 0 : _segments[^1].EndIndex - _head;
        }
    }

    /// <summary>Appends; <paramref name="cap"/> and <paramref name="isRetry"/> mean nothing here: a failed append leaves nothing behind.</summary>
    public Task<AppendResult> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long cap, bool isRetry) => RunAsync(() =>
    {
        if (_segments.Count == 0 || _segments[^1].Bytes >= SegmentBytes)
        {
            var first = _segments.Count == 0 ? _head : _segments[^1].EndIndex;
            var name = first.ToString("D19", CultureInfo.InvariantCulture) + ".spool";
            _segments.Add(SpoolSegment.Open(Path.Combine(_directory, name), first));
        }

        _segments[^1].Append(entries);
        return new AppendResult(Count, 0);
    });

    public Task<ReadResult> ReadAsync(long offset, int maxEntries) => RunAsync(() =>
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        foreach (var segment in _segments)
        {
            for (var index = Math.Max(_head + offset, segment.FirstIndex); index < segment.EndIndex && entries.Count < maxEntries; index++)
                entries.Add(segment.Read(index));
        }

        return new ReadResult(Count, entries);
    });

    /// <summary>Removes these entries as far as they are the front.</summary>
    public Task<RemoveResult> RemoveAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, long? lengthBefore) => RunAsync(() =>
    {
        var head = _head;
        foreach (var entry in entries)
        {
            if (FrontAt(head) is { } front && front.AsSpan().SequenceEqual(entry.Span))
                head++;
        }

        var removed = head - _head;
        if (removed == 0)
            return new RemoveResult(Count, 0);

        WriteHead(head);
        _head = head;
        DropReadSegments();
        return new RemoveResult(Count, removed);
    });

    public Task<long> CountAsync() => Task.FromResult(Count);

    public void Dispose()
    {
        foreach (var segment in _segments)
            segment.Dispose();

        _lock.Dispose();
    }

    private byte[]? FrontAt(long index) => _segments.Find(s => index >= s.FirstIndex && index < s.EndIndex)?.Read(index);

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

    private void WriteHead(long head)
    {
        var path = Path.Combine(_directory, "head");
        File.WriteAllText(path + ".new", head.ToString(CultureInfo.InvariantCulture));
        File.Move(path + ".new", path, overwrite: true);
    }

    private Task<T> RunAsync<T>(Func<T> step)
    {
        try
        {
            lock (_gate)
                return Task.FromResult(step());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return Task.FromException<T>(new StoreException($"the spool in {_directory} cannot be used: {e.Message}", e));
        }
    }
}
