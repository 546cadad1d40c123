// Do merged notifications keep out of the replies of other commands, and of the way of other clients?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class MergeFlowTests
{
    [Theory]
    [InlineData("epoll", "1")]
    [InlineData("epoll", "3")]
    [InlineData("sockets", "1")]
    public async Task Replies_of_other_commands_stay_in_their_place(string transport, string loops)
    {
        await using var stage = await NodePortStage.StartAsync(3, 0, FanInStage.Notifying, "--merge-keyspace", "yes", "--transport", transport, "--loops", loops);
        var (writer, nodePort) = (await stage.NodePortOfAsync(stage.Cluster.Nodes[1]), await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await using var client = await RespClient.ConnectAsync(nodePort);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        var value = new string('v', 100_000);
        // This key belongs to the master that the client is connected to. Its push comes before the reply.
        await client.CallAsync("SET", FanInStage.Keys[0], value);
        await client.ReadReplyAsync();
        using var end = new CancellationTokenSource();
        var writing = WriteUntilAsync(writer, FanInStage.Keys[1], end.Token);

        var pushes = 0;
        for (var i = 0; i < 300; i++)
        {
            await client.SendAsync((byte[])[.. RespClient.Command("ECHO", $"before {i}"), .. RespClient.Command("GET", FanInStage.Keys[0]), .. RespClient.Command("ECHO", $"behind {i}")]);
            foreach (var expected in (string[])[$"before {i}", value, $"behind {i}"])
            {
                Reply reply;
                while ((reply = await client.ReadReplyAsync()).Type == '>')
                {
                    Assert.Equal(["pmessage", FanInStage.SetPattern, "__keyevent@0__:set", FanInStage.Keys[1]], reply.Texts);
                    pushes++;
                }
                Assert.Equal(expected, reply.Text);
            }
        }

        await end.CancelAsync();
        var written = await writing;
        Assert.True(pushes > 50, $"{pushes} notifications among the replies");
        while (pushes < written)
        {
            Assert.Equal('>', (await client.ReadReplyAsync()).Type);
            pushes++;
        }
        await FanInStage.IsAtPeaceAsync(client);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task A_client_that_does_not_read_is_ended_and_the_others_are_served(string transport)
    {
        await using var stage = await NodePortStage.StartAsync(3, 0, FanInStage.Notifying, "--merge-keyspace", "yes", "--transport", transport);
        await using var slow = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await using var other = await RespClient.ConnectAsync(await stage.NodePortOfAsync(stage.Cluster.Nodes[0]));
        await slow.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        await other.CallAsync("PSUBSCRIBE", FanInStage.SetPattern);
        var name = $"{{{FanInStage.Keys[1]}}}{new string('n', 100_000)}";
        var sent = 0;
        await Eventually.TrueAsync("the slow one to be cut", async () =>
        {
            for (var i = 0; i < 20; i++, sent++) await stage.Cluster.Nodes[1].CallAsync("SET", name, "1");
            await FanInStage.ReadAsync(other, 20, "2");
            return (await stage.Program.AdminInfoAsync())["server.merged_subscribers_cut"] == "1";
        }, TimeSpan.FromSeconds(60));
        Assert.True(sent * 100_000L > 8_000_000, $"{sent} messages are not too many");
        await slow.ReadToEndAsync();
        await FanInStage.HearsAllAsync(stage, other);
    }

    private static async Task<int> WriteUntilAsync(int port, string key, CancellationToken end)
    {
        await using var client = await RespClient.ConnectAsync(port);
        var written = 0;
        for (; !end.IsCancellationRequested; written++) await client.CallAsync("SET", key, "1");
        return written;
    }
}
