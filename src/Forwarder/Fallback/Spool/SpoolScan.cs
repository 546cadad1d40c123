using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>
/// At which offsets do the whole records of a file begin, and where does the last one end? The file is read piece by piece, because it may be larger
/// than the memory.
/// </summary>
internal sealed class SpoolScan(SafeFileHandle file)
{
    private const int PieceBytes = 256 * 1024; // a multiple of 8, see SpoolRecord

    private readonly byte[] _piece = new byte[PieceBytes];
    private readonly long _fileBytes = RandomAccess.GetLength(file);

    /// <summary>Offset of each whole record.</summary>
    public List<long> Offsets { get; } = [];

    /// <summary>Offset behind the last whole record.</summary>
    public long End { get; private set; }

    /// <summary>Number of bytes behind <see cref="End"/>.</summary>
    public long DamagedBytes => _fileBytes - End;

    public SpoolScan Run()
    {
        for (long next; (next = EndOfRecordAt(End)) >= 0; End = next) Offsets.Add(End);

        return this;
    }

    /// <summary>Offset behind the record that begins here; -1 if no whole record does.</summary>
    private long EndOfRecordAt(long offset)
    {
        Span<byte> header = stackalloc byte[SpoolRecord.HeaderBytes];
        if (!TryFill(header, offset)) return -1;

        var length = SpoolRecord.LengthIn(header);
        if (length < 0 || length > _fileBytes - offset - SpoolRecord.HeaderBytes) return -1;

        var checksum = SpoolRecord.BeginChecksum(length);
        var at = offset + SpoolRecord.HeaderBytes;
        var end = at + length;
        for (; at < end; at += _piece.Length)
        {
            var piece = _piece.AsSpan(0, (int)Math.Min(_piece.Length, end - at));
            if (!TryFill(piece, at)) return -1;

            checksum = SpoolRecord.AddToChecksum(checksum, piece);
        }

        return SpoolRecord.EndChecksum(checksum) == SpoolRecord.ChecksumIn(header) ? end : -1;
    }

    private bool TryFill(Span<byte> to, long offset)
    {
        while (to.Length > 0)
        {
            var got = RandomAccess.Read(file, to, offset);
            if (got == 0) return false;

            to = to[got..];
            offset += got;
        }

        return true;
    }
}
