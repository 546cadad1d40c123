using KeyEvt.Forwarder.Config;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Are addresses and AMQP URIs read as people and rabbitmq.com/docs/uri-spec mean them?</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("amqp://h", "h", 5672, "guest", "guest", "/")]
    [InlineData("amqp://h/", "h", 5672, "guest", "guest", "/")]
    [InlineData("amqp://h/%2f", "h", 5672, "guest", "guest", "/")]
    [InlineData("amqp://h/%2F", "h", 5672, "guest", "guest", "/")]
    [InlineData("amqp://h/a", "h", 5672, "guest", "guest", "a")]
    [InlineData("amqp://h/a%2fb", "h", 5672, "guest", "guest", "a/b")]
    [InlineData("AMQP://h:1", "h", 1, "guest", "guest", "/")]
    [InlineData("amqp://u@h", "h", 5672, "u", "", "/")]
    [InlineData("amqp://u:@h", "h", 5672, "u", "", "/")]
    [InlineData("amqp://u:p@h", "h", 5672, "u", "p", "/")]
    [InlineData("amqp://u%3a:p%40%2f%23%25@h:7/v", "h", 7, "u:", "p@/#%", "v")]
    [InlineData("amqp://u:a@b:c@h", "h", 5672, "u", "a@b:c", "/")]
    [InlineData("amqp://u:p%C3%A9@h", "h", 5672, "u", "pé", "/")]
    [InlineData("amqp://[::1]:7/v", "::1", 7, "guest", "guest", "v")]
    [InlineData("amqp://[::1]", "::1", 5672, "guest", "guest", "/")]
    [InlineData("amqp://my_host.local", "my_host.local", 5672, "guest", "guest", "/")]
    public void An_amqp_uri_is_read(string uri, string host, int port, string user, string password, string vhost)
    {
        var settings = AmqpUri.Parse(uri, new AmqpSettings { HeartbeatSeconds = 9 }, out var fault);
        Assert.Equal("", fault);
        Assert.Equal(new AmqpSettings { Host = host, Port = port, User = user, Password = password, VirtualHost = vhost, HeartbeatSeconds = 9 }, settings);
    }

    [Theory]
    [InlineData("amqp:/h")]
    [InlineData("amqp://")]
    [InlineData("amqp://u:p@")]
    [InlineData("amqp://:p@h")]
    [InlineData("amqp://h:0")]
    [InlineData("amqp://h:65536")]
    [InlineData("amqp://h:x")]
    [InlineData("amqp://h:")]
    [InlineData("amqp://::1")]
    [InlineData("amqp://[::1")]
    [InlineData("amqp://h/a/b")]
    [InlineData("amqp://h/%")]
    [InlineData("amqp://h/%zz")]
    [InlineData("amqp://h/%ff")]
    [InlineData("amqp://h/%00")]
    [InlineData("amqp://h?heartbeat=1")]
    [InlineData("amqp://h#x")]
    [InlineData("amqp://h h")]
    public void A_wrong_amqp_uri_is_refused_with_a_reason(string uri)
    {
        Assert.Null(AmqpUri.Parse(uri, new AmqpSettings(), out var fault));
        Assert.NotEmpty(fault);
    }

    [Theory]
    [InlineData("127.0.0.1:6380")]
    [InlineData("[::1]:0")]
    [InlineData("localhost:6380")]
    [InlineData("unix:/tmp/keyevt.sock")]
    public void An_address_to_listen_on_is_read_and_written_back(string text)
    {
        var address = EndPointText.Parse(text, out _);
        Assert.NotNull(address);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":6380")]
    [InlineData("host")]
    [InlineData("host:")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("::1:6380")]
    [InlineData("[]:6380")]
    [InlineData("unix:")]
    [InlineData("unix:tmp/x")]
    [InlineData("ho st:1")]
    public void A_wrong_address_to_listen_on_is_refused(string text)
    {
        Assert.Null(EndPointText.Parse(text, out var fault));
        Assert.Equal($"must be host:port or unix:/path, not '{text}'", fault);
    }
}
