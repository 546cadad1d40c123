// Which stream, in which pieces, does one input of the fuzzer stand for?
namespace KeyEvt.Resp.Tests.Requests;

/// <summary>
/// <code>
/// input = head cuts(head &amp; 7) stream
/// head    bit 7: one byte at a time; bit 6: Redis' own limits, not the small ones; bits 0-2: number of cuts
/// cut     distance to the cut before it
/// </code>
/// </summary>
internal sealed record FuzzInput(byte[] Stream, int[] Cuts, RespLimits Limits)
{
    /// <summary>The reference reads the stream anew for each piece: longer ones say nothing more and cost much.</summary>
    private const int MaxStreamBytes = 400;

    public static FuzzInput Parse(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return new FuzzInput([], [], Agreement.SmallLimits);
        var head = input[0];
        var cutCount = Math.Min(head & 7, input.Length - 1);
        var rest = input[(1 + cutCount)..];
        var stream = rest[..Math.Min(rest.Length, MaxStreamBytes)].ToArray();
        var cuts = (head & 0x80) != 0 ? [.. Enumerable.Range(1, stream.Length)] : Positions(input.Slice(1, cutCount));
        return new FuzzInput(stream, cuts, (head & 0x40) != 0 ? RespLimits.Default : Agreement.SmallLimits);
    }

    public void Check() => Agreement.Check(Stream, Cuts, Limits);

    private static int[] Positions(ReadOnlySpan<byte> distances)
    {
        var positions = new int[distances.Length];
        var at = 0;
        for (var i = 0; i < distances.Length; i++) positions[i] = at += distances[i];
        return positions;
    }
}
