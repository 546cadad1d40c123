// In which pieces may a stream arrive?
namespace KeyEvt.Resp.Tests;

internal static class Cuts
{
    /// <summary>Whole, split in two at every byte, and one byte at a time.</summary>
    public static IEnumerable<int[]> All(int length)
    {
        yield return [];
        for (var i = 1; i < length; i++) yield return [i];
        yield return [.. Enumerable.Range(1, Math.Max(0, length - 1))];
    }

    /// <summary>The pieces between the cuts, which need not be sorted or lie inside.</summary>
    public static IEnumerable<byte[]> Apply(byte[] stream, IEnumerable<int> cuts)
    {
        var start = 0;
        foreach (var cut in cuts.Where(c => c > 0 && c < stream.Length).Distinct().Order())
        {
            yield return stream[start..cut];
            start = cut;
        }

        yield return stream[start..];
    }
}
