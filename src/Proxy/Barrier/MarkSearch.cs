using System.Buffers;

namespace KeyEvt.Proxy.Barrier;

/// <summary>Where in the reply stream does the first of some lines begin, whatever pieces it arrives in?</summary>
internal static class MarkSearch
{
    /// <summary>
    /// Returns the offset of the first line found, or -1. Then <paramref name="clear"/> bytes cannot be part of any of the lines and may go to the client; what
    /// comes behind them may be a line's beginning and must be held until more is there.
    /// </summary>
    /// <param name="bytes">Held bytes first.</param>
    /// <param name="lines">None of them begins with another.</param>
    /// <param name="which">Index of the line found.</param>
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
        // A line that lies across segments is found in the last bytes of what came before (carry) and the first of the next segment.
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

    /// <summary>Keeps the last <paramref name="most"/> bytes of what was carried and the segment behind it.</summary>
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

    /// <summary>Length of the longest end of <paramref name="tail"/> that <paramref name="line"/> begins with.</summary>
    private static int LongestBeginning(ReadOnlySpan<byte> tail, ReadOnlySpan<byte> line)
    {
        for (var start = 0; start < tail.Length; start++)
        {
            if (tail[start] == line[0] && line.StartsWith(tail[start..])) return tail.Length - start;
        }

        return 0;
    }
}
