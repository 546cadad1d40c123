// What does a request tell of itself?
using System.Text;
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class RespRequestTests
{
    [Fact]
    public void A_name_is_compared_without_regard_to_case()
    {
        var request = new RespRequest("Module"u8.ToArray(), "LOAD"u8.ToArray());
        Assert.Equal(2, request.Count);
        Assert.False(request.IsInline);
        Assert.True(request.NameIs("MODULE"u8));
        Assert.False(request.NameIs("MODULES"u8));
        Assert.Equal("LOAD", Encoding.ASCII.GetString(request[1].Span));
    }

    [Fact]
    public void A_request_has_a_name() => Assert.Throws<ArgumentOutOfRangeException>(() => new RespRequest());
}
