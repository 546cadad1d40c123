using KeyEvt.Forwarder.Topology;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Does an upstream address say what people mean, and does a wrong one say what is wrong?</summary>
public sealed class UpstreamAddressTests
{
    [Theory]
    [InlineData("redis://h", UpstreamShape.Standalone, "redis://h:6379")]
    [InlineData("rediss://u:secret@h:1", UpstreamShape.Standalone, "rediss://u@h:1")]
    [InlineData("unix:/tmp/redis.sock", UpstreamShape.Standalone, "unix:/tmp/redis.sock")]
    [InlineData("redis+sentinel://h/mymaster", UpstreamShape.Sentinel, "redis+sentinel://h:26379/mymaster")]
    [InlineData("redis+sentinel://u:secret@h1,h2:1,[::1]:2/m", UpstreamShape.Sentinel, "redis+sentinel://u@h1:26379,h2:1,[::1]:2/m")]
    [InlineData("rediss+sentinel://:secret@h1/m", UpstreamShape.Sentinel, "rediss+sentinel://h1:26379/m")]
    [InlineData("REDIS+CLUSTER://h1,h2:7001", UpstreamShape.Cluster, "redis+cluster://h1:6379,h2:7001")]
    [InlineData("rediss+cluster://u:secret@h1:1,h2:2", UpstreamShape.Cluster, "rediss+cluster://u@h1:1,h2:2")]
    public void An_address_has_a_shape_and_is_shown_without_its_password(string text, UpstreamShape shape, string shown)
    {
        var address = UpstreamAddress.Parse(text);
        Assert.Equal((shape, shown), (address.Shape, address.ToString()));
        Assert.Equal(text.StartsWith("rediss", StringComparison.Ordinal), address.IsTls);
    }

    [Theory]
    [InlineData("redis+sentinel://h:26379", "name of the master")]
    [InlineData("redis+sentinel://h:26379/", "name of the master")]
    [InlineData("redis+sentinel://u:secret@h/m/5", "nothing behind it")]
    [InlineData("redis+sentinel://u:secret@h/m?db=5", "no parameters")]
    [InlineData("redis+sentinel://h?x=secret", "no parameters")]
    [InlineData("redis+cluster://u:secret@h:1,h:2/5", "not /5 either")]
    [InlineData("redis+cluster://u:secret@h:1,h:2?x=1", "no parameters")]
    [InlineData("redis+cluster://u:secret@h:1/0,h:2", "not /0 either")]
    [InlineData("redis+sentinel://u:secret@/m", "needs a host")]
    [InlineData("redis+sentinel://u:secret@h:x/m", "port")]
    [InlineData("redis+cluster://", "needs a host")]
    [InlineData("redis+cluster://u:secret@h:1,,h:2", "needs a host")]
    [InlineData("redis+cluster://h:0", "port")]
    [InlineData("redis+magic://u:secret@h", "begins with")]
    [InlineData("http://u:secret@h", "begins with")]
    [InlineData("", "begins with")]
    public void A_wrong_one_gets_one_line_without_its_password(string text, string says)
    {
        Assert.False(UpstreamAddress.TryParse(text, out _, out var error));
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public void The_login_is_that_of_Redis_and_not_of_the_Sentinels()
    {
        var address = UpstreamAddress.Parse("redis+sentinel://u:p%40ss@h1,h2/m");
        Assert.All(address.Seeds, seed => Assert.Equal((null, null), (seed.User, seed.Password?.Value)));
        Assert.Equal(("u", "p@ss", "node", 6379), (address.NodeAt("node", 6379).User, address.NodeAt("node", 6379).Password?.Value, address.NodeAt("node", 6379).Host, address.NodeAt("node", 6379).Port));
        Assert.All(address.WithSentinelLogin("s", "x").Seeds, seed => Assert.Equal(("s", "x"), (seed.User, seed.Password?.Value)));
        Assert.All(address.WithSentinelLogin("s", "x").WithPassword("new").Seeds, seed => Assert.Equal("x", seed.Password?.Value));
    }

    [Fact]
    public void The_login_of_a_cluster_is_that_of_every_node()
    {
        var address = UpstreamAddress.Parse("redis+cluster://u:p@h1:1,h2:2").WithPassword("new");
        Assert.All(address.Seeds, seed => Assert.Equal(("u", "new"), (seed.User, seed.Password?.Value)));
        Assert.Equal("new", address.NodeAt("h3", 3).Password?.Value);
    }
}
