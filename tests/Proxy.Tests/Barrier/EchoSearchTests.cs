using System.Buffers;
using System.Text;
using KeyEvt.Proxy.Barrier;
using Xunit;

namespace KeyEvt.Proxy.Tests.Barrier;

/// <summary>Is the line with the name found in whatever pieces it comes, and is everything else the client's, byte by byte?</summary>
public sealed class EchoSearchTests
{
    private const string Name = "key_evt_amqp.12345678901234567890123456789012345678";
    private const string Line = $"-ERR what is `{Name}`? \r\n";

    public static TheoryData<string> InFront =>
    [
        "",
        "+OK\r\n",
        "-ERR another error\r\n",
        "-ERR unknown command 'key_evt_amqp.1'\r\n",
        "$12\r\n-a\r\n-\n\n-b\r\n\r\n",
        ">2\r\n$1\r\n-\r\n$0\r\n\r\n",
        "*1\r\n-ERR in an array\r\n",
        "$6\r\n\n-ERR \r\n", // looks like the beginning of the line
        "$2000\r\n-" + Long + "\r\n",
        "+" + Long + "\r\n",
    ];

    private static string Long { get; } = new('x', 1999);

    [Theory]
    [MemberData(nameof(InFront))]
    public void It_is_found_split_at_every_byte(string before)
    {
        var stream = before + Line + "+behind\r\n";
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            Assert.Equal((before, "-ERR what is `", "`? \r\n"), Find(stream[..cut], stream[cut..]));
        }
    }

    [Theory]
    [MemberData(nameof(InFront))]
    public void It_is_found_when_the_bytes_come_one_by_one(string before) =>
        Assert.Equal((before, "-ERR what is `", "`? \r\n"), Find([.. (before + Line).Select(c => c.ToString())]));

    [Fact]
    public void A_line_that_is_no_error_is_not_the_one()
    {
        Assert.Equal(($"+{Name}\r\n${Name.Length}\r\n{Name}\r\n", "-ERR what is `", "`? \r\n"), Find($"+{Name}\r\n${Name.Length}\r\n{Name}\r\n{Line}"));
    }

    [Fact]
    public void What_cannot_be_the_line_is_not_held()
    {
        var search = new EchoSearch(Encoding.ASCII.GetBytes(Name));
        Assert.Equal(BarrierStep.Client(7), search.Read(Sequence("$5\r\nabc")));
        Assert.Equal(BarrierStep.Client(2), search.Read(Sequence("-E"))); // in the middle of a line
        Assert.Equal(BarrierStep.Client(4), search.Read(Sequence("de\r\n-E")));
        Assert.Equal(BarrierStep.NeedMore, search.Read(Sequence("-E")));
        Assert.Equal(BarrierStep.Client(5), search.Read(Sequence("-ER\r\n")));
        Assert.Equal(BarrierStep.Client(1025), search.Read(Sequence("-" + new string('x', 1024))));
    }

    /// <summary>Plays the reply pump: what could not be told is given again with what comes next.</summary>
    private static (string Client, string Before, string After) Find(params string[] pieces)
    {
        var search = new EchoSearch(Encoding.ASCII.GetBytes(Name));
        var client = new StringBuilder();
        var held = "";
        foreach (var piece in pieces)
        {
            held += piece;
            while (held.Length > 0)
            {
                var step = search.Read(Sequence(held));
                client.Append(held[..(int)step.ForClient]);
                held = held[(int)(step.ForClient + step.ForProxy)..];
                if (step.IsReached) return (client.ToString(), Text(search.Shape!.Before), Text(search.Shape.After));
                if (step == BarrierStep.NeedMore) break;
            }
        }

        return (client.ToString(), "not found", held);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.ASCII.GetString(bytes.Span);

    /// <summary>In two segments.</summary>
    private static ReadOnlySequence<byte> Sequence(string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var first = new Segment(bytes.AsMemory(0, bytes.Length / 2), 0);
        var second = first.Append(bytes.AsMemory(bytes.Length / 2));
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long at) => (Memory, RunningIndex) = (memory, at);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
