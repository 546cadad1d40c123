using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Which addresses are understood, and do they read back?</summary>
public sealed class TransportAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:6380")]
    [InlineData("localhost:0")]
    [InlineData("[::1]:6380")]
    [InlineData("unix:/run/keyevt.sock")]
    public void A_good_address_reads_back(string text)
    {
        Assert.True(TransportAddress.TryParse(text, out var address));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":6380")]
    [InlineData("host:")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("::1:6380")]
    [InlineData("unix:")]
    public void A_bad_address_is_none(string text) => Assert.False(TransportAddress.TryParse(text, out _));
}
