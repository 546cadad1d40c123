using System.Net;
using KeyEvt.Proxy.Transport.Epoll;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Is the kernel's address of a client the same text as the runtime's?</summary>
public sealed class PeerAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:6379")]
    [InlineData("255.254.253.252:65535")]
    [InlineData("[::1]:1")]
    [InlineData("[2001:db8:1:2:3:4:5:6]:40000")]
    [InlineData("[fe80::1:2%3]:256")]
    [InlineData("[::ffff:10.0.0.1]:80")]
    public void It_reads_as_the_runtime_writes_it(string text)
    {
        if (!OperatingSystem.IsLinux()) return; // the family's number is the kernel's
        var endPoint = IPEndPoint.Parse(text);
        var bytes = new byte[128];
        endPoint.Serialize().Buffer.Span.CopyTo(bytes);
        Assert.Equal(endPoint.ToString(), new PeerAddress(bytes).ToString());
    }
}
