using System.Buffers;
using System.Text;
using KeyEvt.Proxy.Barrier;
using Xunit;

namespace KeyEvt.Proxy.Tests.Barrier;

/// <summary>Is a line found wherever it lies, and nothing held back that cannot be one?</summary>
public sealed class MarkSearchTests
{
    [Fact]
    public void In_any_segments_it_finds_what_a_search_in_one_piece_finds()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            // Few letters, so that lines begin often and end seldom.
            var text = RandomText(random, random.Next(0, 60));
            ReadOnlyMemory<byte>[] lines = [.. Enumerable.Range(0, random.Next(1, 3)).Select(i => (ReadOnlyMemory<byte>)Encoding.ASCII.GetBytes(RandomText(random, random.Next(2, 8)) + (char)('0' + i)))];
            if (random.Next(2) == 0) text = text.Insert(random.Next(text.Length + 1), Encoding.ASCII.GetString(lines[0].Span));

            var offset = MarkSearch.Find(Segments(random, text), lines, out var which, out var clear);

            var expected = lines.Select((line, i) => (At: text.IndexOf(Encoding.ASCII.GetString(line.Span), StringComparison.Ordinal), Which: i)).Where(hit => hit.At >= 0).DefaultIfEmpty((At: -1, Which: -1)).Min();
            Assert.Equal(expected, ((int)offset, which));
            if (offset < 0)
            {
                Assert.Equal(text.Length - lines.Max(line => LongestBeginning(text, Encoding.ASCII.GetString(line.Span))), clear);
            }
        }
    }

    private static int LongestBeginning(string text, string line) =>
        Enumerable.Range(0, line.Length).Where(length => length <= text.Length && text.EndsWith(line[..length], StringComparison.Ordinal)).Max();

    private static string RandomText(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(2))));

    private static ReadOnlySequence<byte> Segments(Random random, string text)
    {
        var first = new Segment(default, null);
        var last = first;
        for (var at = 0; at < text.Length;)
        {
            var length = random.Next(0, 1 + Math.Min(9, text.Length - at));
            last = new Segment(Encoding.ASCII.GetBytes(text.Substring(at, length)), last);
            at += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
