using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// One file of the spool: whole records, one behind the other. Opening it reads it through and cuts off what a crash left half
/// written; a failed append cuts itself off again.
/// </summary>
internal sealed class SpoolSegment : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly List<int> _offsets = [];

    private SpoolSegment(string path, long firstIndex, SafeFileHandle file) => (Path, FirstIndex, _file) = (path, firstIndex, file);

    public string Path { get; }

    /// <summary>The number of its first entry; entries are numbered through all segments, from 0.</summary>
    public long FirstIndex { get; }

    public int Count => _offsets.Count;

    public int Bytes { get; private set; }

    /// <summary>Bytes behind the last whole record that were cut off when it was opened.</summary>
    public long DamagedBytes { get; private set; }

    public long EndIndex => FirstIndex + Count;

    /// <exception cref="IOException">The file cannot be opened, read or cut.</exception>
    public static SpoolSegment Open(string path, long firstIndex)
    {
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var segment = new SpoolSegment(path, firstIndex, file);
            var bytes = File.ReadAllBytes(path);
            segment.Scan(bytes);
            segment.DamagedBytes = bytes.Length - segment.Bytes;
            RandomAccess.SetLength(file, segment.Bytes);
            return segment;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All of them, on disk, or none.</summary>
    public void Append(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var total = entries.Sum(e => SpoolRecord.HeaderBytes + e.Length);
        var buffer = new byte[total];
        var at = 0;
        var offsets = new int[entries.Count];
        for (var i = 0; i < entries.Count; i++)
        {
            offsets[i] = Bytes + at;
            SpoolRecord.Write(entries[i].Span, buffer.AsSpan(at));
            at += SpoolRecord.HeaderBytes + entries[i].Length;
        }

        try
        {
            RandomAccess.Write(_file, buffer, Bytes);
            RandomAccess.FlushToDisk(_file);
        }
        catch
        {
            RandomAccess.SetLength(_file, Bytes);
            throw;
        }

        _offsets.AddRange(offsets);
        Bytes += total;
    }

    /// <exception cref="InvalidDataException">The record was whole when it was written or opened, and is damaged now.</exception>
    public byte[] Read(long index)
    {
        var i = (int)(index - FirstIndex);
        var length = (i + 1 < Count ? _offsets[i + 1] : Bytes) - _offsets[i];
        var record = new byte[length];
        var got = RandomAccess.Read(_file, record, _offsets[i]);
        return got == length && SpoolRecord.Read(record) == length - SpoolRecord.HeaderBytes
            ? record[SpoolRecord.HeaderBytes..]
            : throw new InvalidDataException($"entry {index} in {Path} is damaged");
    }

    public void Dispose() => _file.Dispose();

    private void Scan(ReadOnlySpan<byte> bytes)
    {
        for (int length; (length = SpoolRecord.Read(bytes[Bytes..])) >= 0;)
        {
            _offsets.Add(Bytes);
            Bytes += SpoolRecord.HeaderBytes + length;
        }
    }
}
