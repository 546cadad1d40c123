using System.Buffers;

namespace KeyEvt.Proxy.Barrier;

/// <summary>Where in the reply stream does the first of several lines begin, however the stream is cut into pieces?</summary>
internal static class MarkSearch
{
    /// <summary>
    /// Returns the offset of the first line that is found, or -1. In that case <paramref name="clear"/> bytes cannot be part of any line, and may go to the
    /// client. The bytes behind them may be the beginning of a line, and must be held until more bytes have come.
    /// </summary>
    /// <param name="bytes">The bytes that were held, and those behind them.</param>
    /// <param name="lines">None of them is the beginning of another.</param>
    /// <param name="which">The index of the line that was found.</param>
    public static long Find(in ReadOnlySequence<byte> bytes, ReadOnlySpan<ReadOnlyMemory<byte>> lines, out int which, out long clear)
    {
        which = -1;
        clear = bytes.Length;
        long found = -1;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Span;
            var at = Find(bytes, line, out var clearOfThis);
            clear = Math.Min(clear, clearOfThis);
            if (at < 0 || (found >= 0 && at >= found)) continue;
            found = at;
            which = i;
        }

        return found;
    }

    private static long Find(in ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> line, out long clear)
    {
        // A line may lie across segments. It is then found in the last bytes of what came before (carried) together with the first bytes of the next segment.
        var most = line.Length - 1;
        Span<byte> seam = stackalloc byte[2 * most];
        var carried = 0;
        long position = 0;
        foreach (var memory in bytes)
        {
            var segment = memory.Span;
            if (carried > 0)
            {
                var next = segment[..Math.Min(most, segment.Length)];
                next.CopyTo(seam[carried..]);
                var inSeam = seam[..(carried + next.Length)].IndexOf(line);
                if (inSeam >= 0) return Found(position - carried + inSeam, out clear);
            }

            var inSegment = segment.IndexOf(line);
            if (inSegment >= 0) return Found(position + inSegment, out clear);

            position += segment.Length;
            carried = Carry(seam, carried, segment, most);
        }

        clear = position - LongestBeginning(seam[..carried], line);
        return -1;
    }

    private static long Found(long at, out long clear)
    {
        clear = at;
        return at;
    }

    /// <summary>Keeps the last <paramref name="most"/> bytes of what was carried and of the segment behind it. Returns how many are kept.</summary>
    private static int Carry(Span<byte> seam, int carried, ReadOnlySpan<byte> segment, int most)
    {
        if (segment.Length >= most)
        {
            segment[^most..].CopyTo(seam);
            return most;
        }

        var kept = Math.Min(carried, most - segment.Length);
        seam.Slice(carried - kept, kept).CopyTo(seam);
        segment.CopyTo(seam[kept..]);
        return kept + segment.Length;
    }

    /// <summary>The length of the longest end of <paramref name="tail"/> that is a beginning of <paramref name="line"/>.</summary>
    private static int LongestBeginning(ReadOnlySpan<byte> tail, ReadOnlySpan<byte> line)
    {
        for (var start = 0; start < tail.Length; start++)
        {
            if (tail[start] == line[0] && line.StartsWith(tail[start..])) return tail.Length - start;
        }

        return 0;
    }
}
