using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>Where do the whole records of a file begin, and where does the last of them end? Reads it piece by piece: a file may be larger than the memory.</summary>
internal sealed class SpoolScan(SafeFileHandle file)
{
    private const int PieceBytes = 256 * 1024; // a multiple of 8, see SpoolRecord

    private readonly byte[] _piece = new byte[PieceBytes];
    private readonly long _fileBytes = RandomAccess.GetLength(file);

    /// <summary>Where each begins.</summary>
    public List<long> Offsets { get; } = [];

    /// <summary>Where the last whole one ends.</summary>
    public long End { get; private set; }

    /// <summary>What is behind that.</summary>
    public long DamagedBytes => _fileBytes - End;

    public SpoolScan Run()
    {
        for (long next; (next = EndOfRecordAt(End)) >= 0; End = next) Offsets.Add(End);

        return this;
    }

    /// <summary>-1: there is no whole record.</summary>
    private long EndOfRecordAt(long offset)
    {
        Span<byte> header = stackalloc byte[SpoolRecord.HeaderBytes];
        if (!TryFill(header, offset) || (SpoolRecord.LengthIn(header) is var length && (length < 0 || length > _fileBytes - offset - SpoolRecord.HeaderBytes)))
        {
            return -1;
        }

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
