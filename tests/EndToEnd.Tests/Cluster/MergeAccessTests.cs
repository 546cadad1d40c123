// Do the rights of the client, and of the program, decide what is merged?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class MergeAccessTests
{
    [Fact]
    public async Task Who_may_not_subscribe_hears_the_refusal_and_nothing_else()
    {
        await using var stage = await FanInStage.StartAsync(0, "user low on >pw ~* +@all resetchannels &__keyevent@0__:del");
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("AUTH", "low", "pw");
        await client.CallAsync("HELLO", "3");
        Assert.StartsWith("NOPERM", (await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern)).Text, StringComparison.Ordinal);
        Assert.StartsWith("NOPERM", (await client.CallAsync("SUBSCRIBE", "__keyevent@0__:set")).Text, StringComparison.Ordinal);

        // A reply that only looks like a confirmation of a subscription must not count as one.
        Assert.Equal("psubscribe", (await client.CallAsync("EVAL", $"return {{'psubscribe','{FanInStage.SetPattern}',1}}", "0")).Items[0].Text);
        Assert.Equal(["subscribe", "__keyevent@0__:del", "1"], (await client.CallAsync("SUBSCRIBE", "__keyevent@0__:del")).Texts);
        foreach (var key in FanInStage.Keys) await FanInStage.SetAsync(stage, key);
        foreach (var key in FanInStage.Keys) await FanInStage.CallAsync(stage, "DEL", key);
        Assert.Equal(FanInStage.Keys.Select(key => $"message __keyevent@0__:del {key}").Order(), (await FanInStage.ReadAsync(client, 3, "3")).Order());
        await FanInStage.IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task A_login_that_may_not_subscribe_is_said_in_the_log_and_works_once_it_may()
    {
        await using var stage = await FanInStage.StartAsync(0);
        foreach (var node in stage.Cluster.Nodes) await node.CallAsync("ACL", "SETUSER", "client", "on", ">pw", "+@all", "~*", "&*");
        foreach (var node in stage.Cluster.Nodes)
        {
            await node.CallAsync("ACL", "SETUSER", "default", "resetchannels", "&__keyevent@*__:*", "&__keyevt__:marker");
        }

        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("AUTH", "client", "pw");
        Assert.Equal("psubscribe", (await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern)).Items[0].Text);
        await stage.Program.Process.LineAsync("the refusal", line => line.Contains("refuses a subscription that --merge-keyspace needs", StringComparison.Ordinal));
        foreach (var node in stage.Cluster.Nodes) await node.CallAsync("ACL", "SETUSER", "default", "allchannels");
        await FanInStage.HearsAllAsync(stage, client);
    }
}
