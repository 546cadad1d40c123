using KeyEvt.Forwarder.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Are addresses read as they are meant, and shown without their password?</summary>
public class NodeFeedAddressTests
{
    [Theory]
    [InlineData("redis://127.0.0.1:6379", "redis", "127.0.0.1", 6379, null, null)]
    [InlineData("REDIS://host", "redis", "host", 6379, null, null)]
    [InlineData("rediss://host:7000/", "rediss", "host", 7000, null, null)]
    [InlineData("redis://:p%40ss@host", "redis", "host", 6379, null, "p@ss")]
    [InlineData("redis://user:pa:ss@host", "redis", "host", 6379, "user", "pa:ss")]
    [InlineData("redis://user@host", "redis", "host", 6379, "user", null)]
    [InlineData("redis://us%3Aer:a@b@[::1]:70", "redis", "::1", 70, "us:er", "a@b")]
    [InlineData("redis://[::1]", "redis", "::1", 6379, null, null)]
    public void An_address_is_read(string text, string scheme, string host, int port, string? user, string? password)
    {
        var address = RedisAddress.Parse(text);

        Assert.Equal((scheme, host, port, user, password), (address.Scheme, address.Host, address.Port, address.User, address.Password?.Value));
        Assert.Null(address.Path);
    }

    [Theory]
    [InlineData("unix:/run/redis.sock")]
    [InlineData("unix:///run/redis.sock")]
    public void A_unix_socket_is_read(string text) => Assert.Equal("/run/redis.sock", RedisAddress.Parse(text).Path);

    [Theory]
    [InlineData("")]
    [InlineData("host:6379")]
    [InlineData("http://host")]
    [InlineData("redis://")]
    [InlineData("redis://:c4nary@")]
    [InlineData("redis://u:c4nary@host:0")]
    [InlineData("redis://u:c4nary@host:65536")]
    [InlineData("redis://u:c4nary@host:x")]
    [InlineData("redis://u:c4nary@::1:6379")]
    [InlineData("unix:")]
    [InlineData("unix:relative")]
    public void A_faulty_address_is_refused_without_showing_the_password(string text)
    {
        Assert.False(RedisAddress.TryParse(text, out _, out var error));
        Assert.NotEmpty(error);
        Assert.DoesNotContain("c4nary", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis://u:c4nary@host:6379/5", "not /5 either", "db=5")]
    [InlineData("rediss://u:c4nary@[::1]/0", "not /0 either", "db=0")]
    [InlineData("redis://host/name", "nothing may stand behind the port")]
    [InlineData("redis://host/5/", "nothing may stand behind the port")]
    [InlineData("redis://host//", "nothing may stand behind the port")]
    [InlineData("redis://host/12345678901234567890", "nothing may stand behind the port")]
    [InlineData("redis://host:6379?db=5", "no parameters")]
    [InlineData("redis://host:6379/?password=c4nary", "no parameters")]
    [InlineData("redis://host:6379/5?timeout=1", "no parameters")]
    [InlineData("redis://host#5", "no parameters")]
    [InlineData("unix:/run/redis.sock?db=5", "no parameters")]
    [InlineData("unix:///run/redis.sock#5", "no parameters")]
    public void What_stands_behind_the_port_is_refused_and_not_ignored(string text, params string[] says)
    {
        Assert.False(RedisAddress.TryParse(text, out _, out var error));
        Assert.All(says, each => Assert.Contains(each, error, StringComparison.Ordinal));
        Assert.DoesNotContain("c4nary", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis://:a?b#c/d@host", "a?b#c/d")]
    [InlineData("redis://:a%3Fb@host/", "a?b")]
    public void A_password_may_hold_such_characters(string text, string password) => Assert.Equal(password, RedisAddress.Parse(text).Password);

    [Fact]
    public void The_password_is_not_shown() =>
        Assert.Equal("rediss://u@[::1]:6379", RedisAddress.Parse("rediss://u:c4nary@[::1]").ToString());
}
