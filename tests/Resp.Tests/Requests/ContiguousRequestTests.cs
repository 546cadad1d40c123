// Which count lines does the fast reading take, and which names does it leave to the slow one?
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class ContiguousRequestTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(19)]
    [InlineData(50)]
    [InlineData(99)]
    public void A_count_is_read_wherever_it_begins(int arguments)
    {
        var line = $"*{arguments}\r\n";
        foreach (var front in new[] { 0, 1, 5 })
        {
            var span = Latin1.Bytes(new string('x', front) + line + "$4\r\nPING\r\n");
            Assert.Equal(front + line.Length, ContiguousRequest.SkipCount(span, front, out var count));
            Assert.Equal(arguments, count);
        }
    }

    [Fact]
    public void The_shortest_request_is_read_and_one_byte_less_is_not()
    {
        var span = "*1\r\n$0\r\n\r\n"u8;
        Assert.Equal(4, ContiguousRequest.SkipCount(span, 0, out _));
        Assert.Equal(-1, ContiguousRequest.SkipCount(span[..^1], 0, out _));
    }

    [Theory]
    [InlineData("*0\r\n")]
    [InlineData("*:\r\n")]
    [InlineData("*100\r\n")]
    [InlineData("*1/\r\n")]
    [InlineData("*1:\r\n")]
    [InlineData("*01\r\n")]
    [InlineData("*:0\r\n")]
    [InlineData("*10\rx")]
    [InlineData("*1\rx")]
    [InlineData("$1\r\n")]
    [InlineData("$10\r\n")]
    [InlineData("PING\r\n")]
    public void Another_line_is_left_to_the_slow_reading(string line) =>
        Assert.Equal(-1, ContiguousRequest.SkipCount(Latin1.Bytes(line + "$4\r\nPING\r\n"), 0, out _));

    [Theory]
    [InlineData("post", true)]
    [InlineData("POST", true)]
    [InlineData("Host:", true)]
    [InlineData("hosts", true)]
    [InlineData("pos", false)]
    [InlineData("ping", false)]
    [InlineData("xpost", false)]
    public void A_name_that_begins_like_HTTP_is_left_to_the_slow_reading(string name, bool mayBe) =>
        Assert.Equal(mayBe, ContiguousRequest.MayBeForeign(Latin1.Bytes("$4\r\n" + name + "\r\n"), 4, name.Length));
}
