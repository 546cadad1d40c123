// How does a test listen to the merged notifications of a cluster?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

/// <summary>A cluster, and the program that merges the notifications of its masters into one stream for each subscriber.</summary>
internal static class FanInStage
{
    public const string SetPattern = "__keyevent@*__:set";

    public static readonly string[] Notifying = ["notify-keyspace-events KEA", "hz 100"];

    /// <summary>Each key is on another of the three masters.</summary>
    public static readonly string[] Keys = [ClusterSlot.KeyIn(7), ClusterSlot.KeyIn(6000), ClusterSlot.KeyIn(12000)];

    public static Task<NodePortStage> StartAsync(int replicasEach = 1, params string[] redis) =>
        NodePortStage.StartAsync(3, replicasEach, [.. Notifying, .. redis], "--merge-keyspace", "yes");

    /// <summary>Sends the command through the program's port for the master of the key.</summary>
    public static async Task CallAsync(NodePortStage stage, params string[] command)
    {
        await using var client = await RespClient.ConnectAsync(await stage.NodePortOfAsync(await stage.Cluster.MasterOfAsync(command[1])));
        var reply = await client.CallAsync(command);
        Assert.False(reply.IsError, reply.ToString());
    }

    public static Task SetAsync(NodePortStage stage, string key, params string[] further) => CallAsync(stage, ["SET", key, "1", .. further]);

    /// <summary>Reads so many messages, as words. Nothing else may come between them.</summary>
    public static async Task<List<string>> ReadAsync(RespClient client, int count, string protocol)
    {
        List<string> heard = [];
        while (heard.Count < count)
        {
            var message = await client.ReadReplyAsync();
            Assert.Equal(protocol == "3" ? '>' : '*', message.Type);
            heard.Add(string.Join(' ', message.Texts));
        }
        return heard;
    }

    /// <summary>Asserts that nothing more comes. A short while is enough: a message too many would have been on its way as long as those that came.</summary>
    public static async Task IsAtPeaceAsync(RespClient client) => Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(300)), "more came than was expected");

    /// <summary>Sets keys until one of each master was heard. While masters change there is a short gap.</summary>
    public static async Task HearsAllAsync(NodePortStage stage, RespClient client)
    {
        var mark = Guid.NewGuid().ToString("N");
        var round = 0;
        HashSet<string> heard = [];
        await Eventually.TrueAsync("all masters to be heard", async () =>
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{mark}{round++}");
            foreach (var key in Keys) await SetAsync(stage, $"{{{TagOf(key)}}}{name}");
            while (!await client.IsSilentAsync(TimeSpan.FromMilliseconds(50)))
            {
                var key = (await client.ReadReplyAsync()).Texts[^1];
                if (key.Contains(mark, StringComparison.Ordinal)) heard.Add(key.Split('}')[0]);
            }
            return heard.Count == Keys.Length;
        }, TimeSpan.FromSeconds(30));
    }

    private static string TagOf(string key) => key.Trim('{', '}');

    public static async Task<string> EventuallyInfoAsync(NodePortStage stage, string field, string value) =>
        (await Eventually.ValueAsync(field, stage.Program.AdminInfoAsync, info => info[$"server.{field}"] == value))[$"server.{field}"];
}
