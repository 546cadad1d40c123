// Where do replies end?
using CsCheck;
using KeyEvt.Resp.Replies;
using Xunit;

namespace KeyEvt.Resp.Tests.Replies;

public sealed class ReplyFramerTests
{
    public static TheoryData<string> Frames { get; } =
    [
        "+OK\r\n", "-ERR no\r\n", ":-1\r\n", "$0\r\n\r\n", "$5\r\n\r\n$1\r\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "~0\r\n", "%0\r\n", ">0\r\n",
        "_\r\n", ",1.5\r\n", "#t\r\n", "(123456789012345678901234567890\r\n", "!5\r\nERR x\r\n", "=6\r\ntxt:ab\r\n",
        "*2\r\n*2\r\n:1\r\n*0\r\n$-1\r\n", "%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n",
        ">4\r\n$8\r\npmessage\r\n$17\r\n__keyevent@*__:*\u00e9\r\n$20\r\n__keyevent@0__:set\r\n\r\n$1\r\nk\r\n",
        "|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n", "|0\r\n+OK\r\n", "|1\r\n+a\r\n*2\r\n:1\r\n:2\r\n|1\r\n+b\r\n_\r\n*1\r\n:1\r\n",
        "*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n",
        // a push inside EXEC's array is not one of its elements
        "*2\r\n+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n:5\r\n",
    ];

    public static TheoryData<string, int> Malformed { get; } = new()
    {
        { "x", 0 }, { "\r\n", 0 }, { "+a\nb\r\n", 2 }, { "+a\rb", 3 }, { "$?\r\n", 1 }, { "*?\r\n", 1 }, { "$-2\r\n", 2 }, { "$01\r\n", 2 },
        { "%-1\r\n", 1 }, { "!-1\r\n", 1 }, { "$\r\n", 1 }, { "$1\n", 2 }, { "$1\rx", 3 }, { "$1\r\nab", 5 }, { "$1\r\na\rb", 6 },
        { "*1\r\n;4\r\n", 4 }, { ".\r\n", 0 }, { "$536870913\r\n", 10 }, { "!536870913\r\n", 10 }, { "=536870913\r\n", 10 }, { "*2147483648\r\n", 11 }, { "*99999999999999999999\r\n", 21 },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public void A_frame_ends_where_it_ends_in_any_pieces(string frame)
    {
        var stream = Latin1.Bytes(frame + "+next\r\n");
        foreach (var cuts in Cuts.All(stream.Length)) Assert.Equal([frame, "+next\r\n"], Split(stream, cuts));
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_reply_is_refused_at_its_byte_in_any_pieces(string reply, int offset)
    {
        var stream = Latin1.Bytes("+OK\r\n" + reply);
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var error = Assert.Throws<RespProtocolException>(() => Split(stream, cuts));
            Assert.Equal(5 + offset, error.Offset);
        }
    }

    [Fact]
    public void A_frame_may_be_nested_as_deep_as_the_limit_and_no_deeper()
    {
        var deepest = string.Concat(Enumerable.Repeat("*1\r\n", RespReplyFramer.MaxDepth)) + ":1\r\n";
        Assert.Equal([deepest], Split(Latin1.Bytes(deepest), []));
        Assert.Throws<RespProtocolException>(() => Split(Latin1.Bytes("*1\r\n" + deepest), []));
        Assert.Throws<RespProtocolException>(() => Split(Latin1.Bytes(string.Concat(Enumerable.Repeat("|1\r\n", 100))), []));
    }

    [Fact]
    public void The_first_byte_tells_the_frame_being_read()
    {
        var framer = default(RespReplyFramer);
        Assert.True(framer.AtBoundary);
        Assert.False(framer.TryAdvance([], out _));
        Assert.False(framer.TryAdvance(">1\r\n$1"u8, out _));
        Assert.False(framer.AtBoundary);
        Assert.Equal((byte)'>', framer.FirstByte);
        Assert.True(framer.TryAdvance("\r\nk\r\n+"u8, out var consumed));
        Assert.Equal(5, consumed);
        Assert.True(framer.AtBoundary);
        Assert.Equal((byte)'>', framer.FirstByte);
    }

    [Fact]
    public void Random_replies_are_framed_in_random_pieces() =>
        Gen.Select(ReplyGen.Frame.Array[1, 3], Gen.Int[1, 300].Array[0, 6]).Sample(
            (frames, cuts) =>
            {
                var wires = frames.Select(f => f.Wire).ToArray();
                var stream = Latin1.Bytes(string.Concat(wires));
                Assert.Equal(wires, Split(stream, cuts));
                Assert.Equal(wires, Split(stream, Enumerable.Range(0, stream.Length)));
            },
            iter: 3000);

    [Fact]
    public void A_broken_reply_ends_the_same_in_any_pieces() =>
        Gen.Select(ReplyGen.Frame, Gen.Int[0, 300], Gen.OneOf([.. "*$|>%:\r\n019-?x"u8]), Gen.Int[1, 300].Array[1, 6]).Sample(
            (frame, at, value, cuts) =>
            {
                var stream = Latin1.Bytes(frame.Wire);
                stream[at % stream.Length] = value;
                var whole = Outcome(stream, []);
                Assert.Equal(whole, Outcome(stream, cuts));
                Assert.Equal(whole, Outcome(stream, Enumerable.Range(0, stream.Length)));
            },
            iter: 6000);

    private static string Outcome(byte[] stream, IEnumerable<int> cuts)
    {
        try
        {
            return string.Join('|', Split(stream, cuts));
        }
        catch (RespProtocolException e)
        {
            return $"{e.Offset}: {e.Message}";
        }
    }

    /// <summary>The frames of a stream, and what is left at its end.</summary>
    private static List<string> Split(byte[] stream, IEnumerable<int> cuts)
    {
        var framer = default(RespReplyFramer);
        var frames = new List<string>();
        var current = "";
        foreach (var piece in Cuts.Apply(stream, cuts))
        {
            var rest = piece.AsSpan();
            while (!rest.IsEmpty)
            {
                var ended = framer.TryAdvance(rest, out var consumed);
                current += Latin1.Text(rest[..consumed]);
                rest = rest[consumed..];
                Assert.Equal(ended, framer.AtBoundary);
                if (!ended) continue;
                frames.Add(current);
                current = "";
            }
        }

        if (current.Length > 0) frames.Add(current);
        return frames;
    }
}
