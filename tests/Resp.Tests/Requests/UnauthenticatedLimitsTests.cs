// Which requests does a server refuse before login?
using System.Text;
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class UnauthenticatedLimitsTests
{
    [Theory]
    [InlineData(10, 16384, null)]
    [InlineData(11, 1, "Protocol error: unauthenticated multibulk length")]
    [InlineData(11, 16385, "Protocol error: unauthenticated multibulk length")]
    [InlineData(2, 16385, "Protocol error: unauthenticated bulk length")]
    public void What_is_above_them_is_refused_by_the_first_header_that_says_so(int count, int length, string? refusal)
    {
        var last = Encoding.ASCII.GetBytes(new string('x', length));
        var request = new RespRequest([.. Enumerable.Repeat((ReadOnlyMemory<byte>)"x"u8.ToArray(), count - 1), last]);
        Assert.Equal(refusal, UnauthenticatedLimits.RefusalOf(request));
    }

    [Fact]
    public void An_inline_line_has_none()
    {
        var line = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("x ", 20)) + new string('x', 20_000) + "\r\n");
        Assert.Null(UnauthenticatedLimits.RefusalOf(RespRequest.FromInline(line)!));
    }
}
