// Do messages and invalidations reach the client as Redis sends them?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

public sealed class PublishTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Theory]
    [InlineData("2", "SUBSCRIBE", "a", "PUBLISH")]
    [InlineData("3", "SUBSCRIBE", "a", "PUBLISH")]
    [InlineData("2", "PSUBSCRIBE", "a*", "PUBLISH")]
    [InlineData("3", "PSUBSCRIBE", "a*", "PUBLISH")]
    [InlineData("2", "SSUBSCRIBE", "a", "SPUBLISH")]
    [InlineData("3", "SSUBSCRIBE", "a", "SPUBLISH")]
    public Task A_subscriber_gets_the_bytes_of_redis(string version, string subscribe, string channel, string publish)
        => SameAsync(async (client, redis) =>
        {
            var got = new List<Reply>();
            await client.CallAsync("HELLO", version);
            got.Add(await client.CallAsync(subscribe, channel));
            foreach (var size in new[] { 0, 1, 16_383, 16_384, 65_536, 1_000_000 })
            {
                Assert.Equal(1, (await redis.CallAsync(publish, "a", new string('\r', size))).Integer);
                got.Add(await client.ReadReplyAsync());
            }
            got.Add(await client.CallAsync("PING"));
            got.Add(await client.CallAsync(subscribe.Replace("SUB", "UNSUB", StringComparison.Ordinal)));
            got.Add(await client.CallAsync("GET", "none"));
            return got;
        });

    [Fact]
    public Task Ten_thousand_messages_come_in_order_while_the_subscriber_asks_other_things()
        => SameAsync(async (client, redis) =>
        {
            await client.CallAsync("HELLO", "3");
            await client.CallAsync("SUBSCRIBE", "many");
            await redis.CallAsync("EVAL", "for i=1,10000 do redis.call('publish','many',i) end", "0");
            await client.SendCommandAsync("PING", "behind");
            var got = new List<Reply>();
            for (var n = 0; n <= 10_000; n++) got.Add(await client.ReadReplyAsync());
            return got;
        });

    [Theory]
    [InlineData("ON")]
    [InlineData("ON", "BCAST", "PREFIX", "t:")]
    [InlineData("ON", "NOLOOP")]
    [InlineData("ON", "OPTOUT")]
    public Task A_tracked_key_that_changes_is_invalidated(params string[] options)
        => SameAsync(async (client, redis) =>
        {
            await client.CallAsync("HELLO", "3");
            var got = new List<Reply> { await client.CallAsync(["CLIENT", "TRACKING", .. options]), await client.CallAsync("GET", "t:1") };
            await redis.CallAsync("SET", "t:1", "x");
            got.Add(await client.ReadReplyAsync());
            got.Add(await client.CallAsync("GET", "t:1"));
            await redis.CallAsync("FLUSHALL");
            got.Add(await client.ReadReplyAsync());
            got.Add(await client.CallAsync("CLIENT", "TRACKINGINFO"));
            Assert.Equal('>', got[2].Type);
            return got;
        });

    [Fact]
    public async Task Invalidations_are_redirected_to_a_resp2_connection_through_the_proxy()
    {
        await using var listener = await proxy.Program.ConnectAsync();
        var id = (await listener.CallAsync("CLIENT", "ID")).Text;
        await listener.CallAsync("SUBSCRIBE", "__redis__:invalidate");
        await using var client = await proxy.Program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("CLIENT", "TRACKING", "ON", "REDIRECT", id)).Text);
        await client.CallAsync("GET", "redirected");
        await proxy.Program.CallAsync("SET", "redirected", "x");
        Assert.Equal("*3\\r\\n$7\\r\\nmessage\\r\\n$20\\r\\n__redis__:invalidate\\r\\n*1\\r\\n$10\\r\\nredirected\\r\\n", (await listener.ReadReplyAsync()).ToString());
    }

    [Fact]
    public Task A_monitor_sees_the_commands_of_others_and_goes_on_until_reset()
        => SameAsync(async (client, redis) =>
        {
            var got = new List<Reply> { await client.CallAsync("MONITOR") };
            await redis.CallAsync("ECHO", "seen\r\n\0");
            Reply line;
            do
                line = await client.ReadReplyAsync();
            while (!line.Text.Contains("seen", StringComparison.Ordinal));
            Assert.EndsWith("] \"ECHO\" \"seen\\r\\n\\x00\"", line.Text, StringComparison.Ordinal);
            // What else stands in between is the proxy's own feed; RESET ends it.
            await client.SendCommandAsync("RESET");
            do
                line = await client.ReadReplyAsync();
            while (char.IsAsciiDigit(line.Text[0]));
            got.Add(line);
            got.Add(await client.CallAsync("PING"));
            return got;
        });

    /// <summary>Acts on a client straight to one Redis and on one through the proxy to its twin; what they get must be the same bytes.</summary>
    private async Task SameAsync(Func<RespClient, RedisServer, Task<List<Reply>>> act)
    {
        await Task.WhenAll(proxy.Other.CallAsync("FLUSHALL"), proxy.Redis.CallAsync("FLUSHALL"));
        await using var direct = await proxy.Other.ConnectAsync();
        var expected = await act(direct, proxy.Other);
        await using var through = await proxy.Program.ConnectAsync();
        var actual = await act(through, proxy.Redis);
        Assert.Equal(expected.Select(reply => reply.ToString()), actual.Select(reply => reply.ToString()));
    }
}
