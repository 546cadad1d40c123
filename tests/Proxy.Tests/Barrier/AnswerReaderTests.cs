using System.Buffers;
using System.Text;
using KeyEvt.Proxy.Barrier;
using Xunit;

namespace KeyEvt.Proxy.Tests.Barrier;

/// <summary>Which bytes between two marks are the client's, and what was answered?</summary>
public sealed class AnswerReaderTests
{
    private const string End = "-ERR end\r\n";

    [Theory]
    [InlineData(7, "$1\r\na\r\n")]
    [InlineData(6, "")]
    [InlineData(0, "")]
    public void An_answer_is_kept_up_to_the_given_number_of_bytes(int maxKept, string kept)
    {
        var reader = new AnswerReader(Bytes(End), maxKept);
        Assert.Equal("", Client(reader, "$1\r\na\r\n" + End));
        Assert.Equal((FrameKind.Bulk, kept), (reader.Answer.Kind, Encoding.ASCII.GetString(reader.Answer.Bytes.Span)));
    }

    [Fact]
    public void An_answer_in_pieces_is_kept_whole_or_not_at_all()
    {
        const string Answer = "$9\r\n123456789\r\n";
        for (var max = 0; max <= Answer.Length + 1; max++)
        {
            var reader = new AnswerReader(Bytes(End), max);
            Client(reader, Answer + End, pieces: 3);
            Assert.Equal(max >= Answer.Length ? Answer : "", Encoding.ASCII.GetString(reader.Answer.Bytes.Span));
            Assert.Equal(FrameKind.Bulk, reader.Answer.Kind);
        }
    }

    [Fact]
    public void What_is_out_of_band_is_the_clients_and_no_answer()
    {
        const string Push = ">2\r\n$1\r\na\r\n$1\r\nb\r\n";
        var reader = new AnswerReader(Bytes(End), 64);
        Assert.Equal(Push + Push, Client(reader, Push + "+QUEUED\r\n" + Push + End));
        Assert.Equal(FrameKind.Queued, reader.Answer.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("+a\r\n+b\r\n")]
    public void No_reply_or_two_are_no_answer(string between)
    {
        var reader = new AnswerReader(Bytes(End), 64);
        Client(reader, between + End);
        Assert.Equal((FrameKind.Other, 0), (reader.Answer.Kind, reader.Answer.Bytes.Length));
    }

    [Fact]
    public void The_first_replies_are_dropped_when_they_are_nobodys()
    {
        var reader = new AnswerReader(Bytes(End), 64, skips: 2);
        Client(reader, "+x\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n-NOPERM no\r\n" + End);
        Assert.Equal((FrameKind.Error, "-NOPERM no\r\n"), (reader.Answer.Kind, Encoding.ASCII.GetString(reader.Answer.Bytes.Span)));
    }

    /// <summary>Reads all, and returns what is the client's.</summary>
    private static string Client(AnswerReader reader, string stream, int pieces = int.MaxValue)
    {
        var client = new StringBuilder();
        var (start, end) = (0, Math.Min(pieces, stream.Length));
        while (true)
        {
            var step = reader.Read(new ReadOnlySequence<byte>(Bytes(stream[start..end])));
            client.Append(stream.AsSpan(start, (int)step.ForClient));
            start += (int)(step.ForClient + step.ForProxy);
            if (step.IsReached)
            {
                Assert.Equal(stream.Length, start);
                return client.ToString();
            }

            if (step == BarrierStep.NeedMore || start == end) Assert.True(end < stream.Length, "it wants more than there is");
            if (step == BarrierStep.NeedMore || start == end) end = Math.Min(stream.Length, end + Math.Min(pieces, stream.Length));
        }
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
