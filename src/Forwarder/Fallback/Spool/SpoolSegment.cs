using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// One file of the spool: whole records, one behind the other. When a file is opened it is read through, and an incomplete end that a crash has left
/// is cut off. A failed append cuts off what it has written.
/// </summary>
internal sealed class SpoolSegment : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly FileIdentity _identity;
    private readonly List<long> _offsets;

    private SpoolSegment(string path, long firstIndex, SafeFileHandle file, SpoolScan scan)
    {
        (Path, FirstIndex, _file, _identity) = (path, firstIndex, file, FileIdentity.Of(file));
        (_offsets, Bytes, DamagedBytes) = (scan.Offsets, scan.End, scan.DamagedBytes);
    }

    public string Path { get; }

    /// <summary>The index of its first entry. Entries are numbered through all segments, from 0.</summary>
    public long FirstIndex { get; }

    public int Count => _offsets.Count;

    public long Bytes { get; private set; }

    /// <summary>Bytes behind the last whole record that were cut off, when the file was opened or later.</summary>
    public long DamagedBytes { get; private set; }

    public long EndIndex => FirstIndex + Count;

    /// <summary>Whether the file under this name is still the one that is open. What is in a removed file is gone when the program ends.</summary>
    public bool IsStillThere => FileIdentity.Of(Path) == _identity;

    /// <exception cref="IOException">The file cannot be opened, read or cut, or was replaced in between.</exception>
    public static SpoolSegment Open(string path, long firstIndex)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            if (FileIdentity.Of(file) is not { IsRegular: true } identity || FileIdentity.Of(path) != identity)
            {
                throw new IOException($"{path} is no regular file");
            }

            SpoolFolder.Close(file);
            var segment = new SpoolSegment(path, firstIndex, file, new SpoolScan(file).Run());
            if (segment.DamagedBytes > 0) RandomAccess.SetLength(file, segment.Bytes);

            return segment;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The file exists already, or cannot be created.</exception>
    public static SpoolSegment Create(string path, long firstIndex)
    {
        SpoolFolder.Create(path).Dispose();
        return Open(path, firstIndex);
    }

    /// <summary>Appends all entries and writes them to the disk, or none of them.</summary>
    /// <exception cref="IOException">The disk refused them, or the file was removed.</exception>
    public void Append(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var headers = new byte[entries.Count * SpoolRecord.HeaderBytes];
        var pieces = new List<ReadOnlyMemory<byte>>(entries.Count * 2);
        var offsets = new List<long>(entries.Count);
        var end = Bytes;
        for (var i = 0; i < entries.Count; i++)
        {
            var header = headers.AsMemory(i * SpoolRecord.HeaderBytes, SpoolRecord.HeaderBytes);
            SpoolRecord.WriteHeader(entries[i].Span, header.Span);
            offsets.Add(end);
            pieces.Add(header);
            if (!entries[i].IsEmpty) pieces.Add(entries[i]);

            end += header.Length + entries[i].Length;
        }

        try
        {
            RandomAccess.Write(_file, pieces, Bytes);
            RandomAccess.FlushToDisk(_file);
        }
        catch
        {
            RandomAccess.SetLength(_file, Bytes);
            throw;
        }

        if (!IsStillThere) throw new IOException($"{Path} was removed while it was written to");

        _offsets.AddRange(offsets);
        Bytes = end;
    }

    /// <exception cref="InvalidDataException">The record was whole when it was written or opened, and is damaged now.</exception>
    public byte[] Read(long index)
    {
        var i = (int)(index - FirstIndex);
        var length = (int)((i + 1 < Count ? _offsets[i + 1] : Bytes) - _offsets[i] - SpoolRecord.HeaderBytes);
        var header = new byte[SpoolRecord.HeaderBytes];
        var payload = new byte[length];
        var got = RandomAccess.Read(_file, [header, payload], _offsets[i]);
        return got == header.Length + length && SpoolRecord.IsWhole(header, payload) ? payload : throw new InvalidDataException($"entry {index} in {Path} is damaged");
    }

    /// <summary>Cuts this entry off, and everything behind it in this file. A damaged entry must not stop the next file from being read.</summary>
    public void CutFrom(long index)
    {
        var i = (int)(index - FirstIndex);
        DamagedBytes += Bytes - _offsets[i];
        Bytes = _offsets[i];
        _offsets.RemoveRange(i, Count - i);
        RandomAccess.SetLength(_file, Bytes);
    }

    public void Dispose() => _file.Dispose();
}
