// What do replies say?
using CsCheck;
using KeyEvt.Resp.Replies;
using Xunit;

namespace KeyEvt.Resp.Tests.Replies;

public sealed class ReplyReaderTests
{
    [Fact]
    public void Every_kind_is_read()
    {
        var reader = new RespReplyReader(
            "*14\r\n+OK\r\n-ERR no\r\n!6\r\nERR a\n\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n_\r\n=8\r\ntxt:text\r\n,1.5\r\n#t\r\n(12\r\n~1\r\n#f\r\n%1\r\n+k\r\n,-inf\r\n"u8);
        Assert.Equal(RespKind.Array, reader.Kind);
        Assert.Equal(14, reader.ReadArrayHeader());
        Assert.Equal("OK", Latin1.Text(reader.ReadSimple()));
        Assert.Equal("ERR no", Latin1.Text(reader.ReadError()));
        Assert.Equal("ERR a\n", Latin1.Text(reader.ReadError()));
        Assert.Equal(-7, reader.ReadInteger());
        Assert.Equal("a\r\n", Latin1.Text(reader.ReadBulk()));
        Assert.False(reader.TryReadBulk(out _));
        reader.ReadNull();
        Assert.Equal(RespKind.Null, reader.Kind);
        reader.Skip();
        Assert.Equal("text", Latin1.Text(reader.ReadBulk()));
        Assert.Equal(1.5, reader.ReadDouble());
        Assert.True(reader.ReadBoolean());
        Assert.Equal("12", Latin1.Text(reader.ReadBigNumber()));
        Assert.Equal(RespKind.Set, reader.Kind);
        Assert.Equal(1, reader.ReadArrayHeader());
        Assert.False(reader.ReadBoolean());
        Assert.Equal(1, reader.ReadMapHeader());
        Assert.True(reader.TryReadBulk(out var key));
        Assert.Equal("k", Latin1.Text(key));
        Assert.Equal(double.NegativeInfinity, reader.ReadDouble());
        Assert.Equal(RespKind.End, reader.Kind);
    }

    [Theory]
    [InlineData("%1\r\n$1\r\nk\r\n$1\r\nv\r\n")]
    [InlineData("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")]
    public void A_map_reads_the_same_in_both_protocols(string frame)
    {
        var reader = new RespReplyReader(Latin1.Bytes(frame));
        Assert.Equal(1, reader.ReadMapHeader());
        Assert.Equal("k", Latin1.Text(reader.ReadBulk()));
        Assert.Equal("v", Latin1.Text(reader.ReadBulk()));
        Assert.Equal(frame.Length, reader.Consumed);
    }

    [Fact]
    public void Attributes_and_pushes_inside_are_passed_over()
    {
        var reader = new RespReplyReader(
            "|1\r\n+a\r\n|1\r\n+x\r\n+y\r\n*1\r\n:0\r\n*2\r\n>1\r\n+p\r\n|0\r\n:1\r\n|1\r\n+a\r\n>1\r\n:9\r\n+b\r\n:2\r\n"u8);
        Assert.Equal(2, reader.ReadArrayHeader());
        Assert.Equal(1, reader.ReadInteger());
        Assert.Equal(2, reader.ReadInteger());
        Assert.Equal(RespKind.End, reader.Kind);
    }

    [Fact]
    public void A_push_is_a_frame_when_it_is_not_inside_one()
    {
        var reader = new RespReplyReader(">2\r\n+invalidate\r\n*1\r\n+k\r\n"u8);
        Assert.Equal(RespKind.Push, reader.Kind);
        Assert.Equal(2, reader.ReadArrayHeader());
        reader.Skip();
        reader.Skip();
        Assert.Equal(RespKind.End, reader.Kind);
    }

    [Theory]
    [InlineData("+OK\r\n")]
    [InlineData(":x\r\n")]
    [InlineData(":01\r\n")]
    [InlineData(":1")]
    [InlineData("")]
    [InlineData("x1\r\n")]
    public void Anything_but_the_demanded_kind_is_refused(string frame) =>
        Assert.Throws<RespProtocolException>(() => new RespReplyReader(Latin1.Bytes(frame)).ReadInteger());

    [Theory]
    [InlineData("$5\r\nabc\r\n")]
    [InlineData("$3\r\nabcde")]
    [InlineData("$99999999999999999999\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("=3\r\nabc\r\n")]
    [InlineData("=5\r\nabcde\r\n")]
    public void A_wrong_or_cut_string_is_refused(string frame) =>
        Assert.Throws<RespProtocolException>(() => new RespReplyReader(Latin1.Bytes(frame)).ReadBulk());

    [Fact]
    public void A_count_that_cannot_be_in_the_frame_is_refused()
    {
        Assert.Throws<RespProtocolException>(() => new RespReplyReader("*2147483647\r\n:1\r\n"u8).ReadArrayHeader());
        Assert.Throws<RespProtocolException>(() => new RespReplyReader("%1000\r\n:1\r\n"u8).ReadMapHeader());
        Assert.Throws<RespProtocolException>(() => new RespReplyReader("*3\r\n:1\r\n:2\r\n:3\r\n"u8).ReadMapHeader());
        Assert.Throws<RespProtocolException>(() => new RespReplyReader("*2\r\n:1\r\n"u8).Skip());
    }

    [Fact]
    public void A_nest_of_attributes_is_refused_not_recursed_into() =>
        Assert.Throws<RespProtocolException>(() => new RespReplyReader(Latin1.Bytes(string.Concat(Enumerable.Repeat("|1\r\n", 100_000)))).Kind);

    [Fact]
    public void Random_replies_read_as_they_were_made() =>
        ReplyGen.Frame.Sample(
            reply =>
            {
                var reader = new RespReplyReader(Latin1.Bytes(reply.Wire));
                AssertReads(reply, ref reader, isSkipped: false);
                Assert.Equal(RespKind.End, reader.Kind);

                var skipper = new RespReplyReader(Latin1.Bytes(reply.Wire));
                skipper.Skip();
                Assert.Equal(RespKind.End, skipper.Kind);
                Assert.Equal(reply.Wire.Length, skipper.Consumed);
            },
            iter: 5000);

    private static void AssertReads(Reply reply, ref RespReplyReader reader, bool isSkipped)
    {
        if (isSkipped)
        {
            reader.Skip();
            return;
        }

        switch (reply.Type)
        {
            case '*' or '~' or '>':
                Assert.Equal(reply.Elements.Length, reader.ReadArrayHeader());
                break;
            case '%':
                Assert.Equal(reply.Elements.Length / 2, reader.ReadMapHeader());
                break;
            case '+':
                Assert.Equal(reply.Text, Latin1.Text(reader.ReadSimple()));
                break;
            case '-' or '!':
                Assert.Equal(reply.Text, Latin1.Text(reader.ReadError()));
                break;
            case '$':
                Assert.Equal(reply.Text, Latin1.Text(reader.ReadBulk()));
                break;
            case '=':
                Assert.Equal(reply.Text[4..], Latin1.Text(reader.ReadBulk()));
                break;
            case ':':
                Assert.Equal(reply.Text, reader.ReadInteger().ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            default:
                reader.Skip();
                break;
        }

        // every second element is passed over whole
        for (var i = 0; i < reply.Elements.Length; i++) AssertReads(reply.Elements[i], ref reader, isSkipped: i % 2 == 1);
    }
}
