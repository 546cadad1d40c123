// Does a client that subscribes to keyspace notifications at one port hear all masters, and each notification once?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class MergeSubscriptionTests
{
    [Theory]
    [InlineData("2")]
    [InlineData("3")]
    [Trait("Against", "every-redis")]
    public async Task A_subscriber_at_any_port_hears_each_notification_of_every_master_once(string protocol)
    {
        await using var stage = await FanInStage.StartAsync();
        foreach (var port in (int[])[stage.Program.Port, .. (await stage.NodePortsAsync()).Values])
        {
            await using var client = await RespClient.ConnectAsync(port);
            await client.CallAsync("HELLO", protocol);
            Assert.Equal(["psubscribe", FanInStage.SetPattern, "1"], (await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern)).Texts);
            Assert.Equal(["subscribe", $"__keyspace@0__:{FanInStage.Keys[1]}", "2"], (await client.CallAsync("SUBSCRIBE", $"__keyspace@0__:{FanInStage.Keys[1]}")).Texts);

            List<string> expected = [];
            for (var i = 0; i < 20; i++)
            {
                foreach (var key in FanInStage.Keys)
                {
                    await FanInStage.SetAsync(stage, key);
                    expected.Add($"pmessage {FanInStage.SetPattern} __keyevent@0__:set {key}");
                }
                expected.Add($"message __keyspace@0__:{FanInStage.Keys[1]} set");
            }
            var heard = await FanInStage.ReadAsync(client, expected.Count, protocol);
            Assert.Equal(expected.Order(), heard.Order());
            await FanInStage.IsAtPeaceAsync(client);
        }

        Assert.Equal("0", await FanInStage.EventuallyInfoAsync(stage, "merged_connections", "0"));
        Assert.Equal("0", (await stage.Program.AdminInfoAsync())["server.merged_subscribers"]);
    }

    [Fact]
    public async Task A_replica_s_port_tells_what_masters_say_and_not_what_replicas_make_of_it()
    {
        await using var stage = await FanInStage.StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[4]));
        await client.CallAsync("PSUBSCRIBE", "__keyevent@0__:*");
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key, "PX", "30");
        var expected = FanInStage.Keys.SelectMany(key => (string[])["set", "expire", "expired"], (key, what) => $"pmessage __keyevent@0__:* __keyevent@0__:{what} {key}");
        Assert.Equal(expected.Order(), (await FanInStage.ReadAsync(client, 9, "2")).Order());
        await FanInStage.IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task Unsubscribing_ends_it_and_so_does_reset()
    {
        await using var stage = await FanInStage.StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        await client.CallAsync("PSUBSCRIBE", "__keyevent@*__:del");
        Assert.Equal("2", (await stage.Program.AdminInfoAsync())["server.merged_connections"]);
        Assert.Equal(["punsubscribe", FanInStage.SetPattern, "1"], (await client.CallAsync("PUNSUBSCRIBE", FanInStage.SetPattern)).Texts);
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        foreach (var key in FanInStage.Keys) await FanInStage.CallAsync(stage, "DEL", key);
        Assert.Equal(FanInStage.Keys.Select(key => $"pmessage __keyevent@*__:del __keyevent@0__:del {key}").Order(), (await FanInStage.ReadAsync(client, 3, "3")).Order());

        Assert.Equal("punsubscribe", (await client.CallAsync("PUNSUBSCRIBE")).Items[0].Text);
        Assert.Equal("0", await FanInStage.EventuallyInfoAsync(stage, "merged_connections", "0"));
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        Assert.Equal("RESET", (await client.CallAsync("RESET")).Text);
        Assert.Equal("0", await FanInStage.EventuallyInfoAsync(stage, "merged_connections", "0"));
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        Assert.Equal("x", (await client.CallAsync("ECHO", "x")).Text);
        await FanInStage.IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task Hello_changes_the_protocol_of_what_is_merged()
    {
        await using var stage = await FanInStage.StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        await FanInStage.ReadAsync(client, 3, "3");
        Assert.Equal('*', (await client.CallAsync("HELLO", "2")).Type);
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        await FanInStage.ReadAsync(client, 3, "2");
    }

    [Fact]
    public async Task Inside_a_transaction_the_subscription_is_the_own_node_s_alone_and_the_transaction_works()
    {
        await using var stage = await FanInStage.StartAsync(0);
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("HELLO", "3");
        Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
        Assert.Equal("QUEUED", (await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern)).Text);
        Assert.Equal("QUEUED", (await client.CallAsync("SET", FanInStage.Keys[0], "1")).Text);
        var exec = await client.CallAsync("EXEC");
        Assert.False(exec.IsError, exec.ToString());
        Assert.Equal("0", (await stage.Program.AdminInfoAsync())["server.merged_subscribers"]);
    }

    [Fact]
    public async Task Over_TLS_it_is_the_same()
    {
        using var tls = new TlsFolder();
        await using var stage = await NodePortStage.StartAsync(
            3, 0, ["tls-cluster yes", .. FanInStage.Notifying, .. tls.NodeLines()], ["--merge-keyspace", "yes", "--upstream-ca", tls.Ca]);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        foreach (var key in FanInStage.Keys) await stage.Cluster.CallAsync("SET", key, "1");
        Assert.Equal(FanInStage.Keys.Select(key => $"pmessage {FanInStage.SetPattern} __keyevent@0__:set {key}").Order(), (await FanInStage.ReadAsync(client, 3, "2")).Order());
        Assert.Equal("2", (await stage.Program.AdminInfoAsync())["server.merged_connections"]);
    }

    [Fact]
    public async Task Without_the_option_only_the_own_node_is_heard()
    {
        await using var stage = await NodePortStage.StartAsync(3, 0, FanInStage.Notifying);
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        Assert.Equal([$"pmessage {FanInStage.SetPattern} __keyevent@0__:set {FanInStage.Keys[0]}"], await FanInStage.ReadAsync(client, 1, "2"));
        await FanInStage.IsAtPeaceAsync(client);
        Assert.DoesNotContain("server.merged_subscribers", (await stage.Program.AdminInfoAsync()).Keys);
    }

    [Fact]
    public async Task Something_published_by_hand_is_heard_once_from_each_master()
    {
        await using var stage = await FanInStage.StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("SUBSCRIBE", "__keyevent@0__:set");
        await stage.Cluster.Nodes[0].CallAsync("PUBLISH", "__keyevent@0__:set", "by hand");
        Assert.Equal(Enumerable.Repeat("message __keyevent@0__:set by hand", 3), await FanInStage.ReadAsync(client, 3, "2"));
        await FanInStage.IsAtPeaceAsync(client);
    }
}
