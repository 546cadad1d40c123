// Do key_evt_amqp commands work at every node port, for those who may, and for nobody else?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

[Trait("Against", "every-redis")]
public sealed class NodePortInterceptionTests
{
    [Fact]
    public async Task Commands_are_answered_at_each_node_port_and_only_for_those_who_may()
    {
        await using var stage = await NodePortStage.StartAsync(3, 1, ["user low on >pw ~* &* +@all -config -module"]);
        foreach (var port in (int[])[stage.Program.Port, .. (await stage.NodePortsAsync()).Values])
        {
            await using var client = await RespClient.ConnectAsync(port);
            await client.SendAsync("PING a\r\nkey_evt_amqp.info server\r\nPING b\r\n");
            Assert.Equal("a", (await client.ReadReplyAsync()).Text);
            Assert.StartsWith("# server", (await client.ReadReplyAsync()).Text, StringComparison.OrdinalIgnoreCase);
            Assert.Equal("b", (await client.ReadReplyAsync()).Text);

            Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
            Assert.Contains("MULTI", (await client.CallAsync("key_evt_amqp.info")).Text, StringComparison.Ordinal);
            Assert.StartsWith("EXECABORT", (await client.CallAsync("EXEC")).Text, StringComparison.Ordinal);

            Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
            Assert.StartsWith("ERR keyevt: CLUSTER", (await client.CallAsync("CLUSTER", "SLOTS")).Text, StringComparison.Ordinal);
            Assert.StartsWith("EXECABORT", (await client.CallAsync("EXEC")).Text, StringComparison.Ordinal);

            await client.CallAsync("AUTH", "low", "pw");
            Assert.StartsWith("NOPERM", (await client.CallAsync("key_evt_amqp.info")).Text, StringComparison.Ordinal);
            Assert.Equal('*', (await client.CallAsync("CLUSTER", "SLOTS")).Type);
        }
    }
}
