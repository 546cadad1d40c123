// Does who subscribes to keyspace notifications at one port hear all masters, each notification once, and nobody what is not for him?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class MergeTests
{
    private const string SetPattern = "__keyevent@*__:set";

    private static readonly string[] Notifying = ["notify-keyspace-events KEA", "hz 100"];

    /// <summary>One on each of three masters.</summary>
    private static readonly string[] Keys = [ClusterSlot.KeyIn(7), ClusterSlot.KeyIn(6000), ClusterSlot.KeyIn(12000)];

    [Theory]
    [InlineData("2")]
    [InlineData("3")]
    [Trait("Against", "every-redis")]
    public async Task A_subscriber_at_any_port_hears_each_notification_of_every_master_once(string protocol)
    {
        await using var stage = await StartAsync();
        foreach (var port in (int[])[stage.Program.Port, .. (await stage.DoorsAsync()).Values])
        {
            await using var client = await RespClient.ConnectAsync(port);
            await client.CallAsync("HELLO", protocol);
            Assert.Equal(["psubscribe", SetPattern, "1"], (await client.CallAsync("PSUBSCRIBE", SetPattern)).Texts);
            Assert.Equal(["subscribe", $"__keyspace@0__:{Keys[1]}", "2"], (await client.CallAsync("SUBSCRIBE", $"__keyspace@0__:{Keys[1]}")).Texts);

            List<string> expected = [];
            for (var i = 0; i < 20; i++)
            {
                foreach (var key in Keys)
                {
                    await SetAsync(stage, key);
                    expected.Add($"pmessage {SetPattern} __keyevent@0__:set {key}");
                }
                expected.Add($"message __keyspace@0__:{Keys[1]} set");
            }
            var heard = await ReadAsync(client, expected.Count, protocol);
            Assert.Equal(expected.Order(), heard.Order());
            await IsAtPeaceAsync(client);
        }

        Assert.Equal("0", await EventuallyInfoAsync(stage, "merged_connections", "0"));
        Assert.Equal("0", (await stage.Program.AdminInfoAsync())["server.merged_subscribers"]);
    }

    [Fact]
    public async Task A_replica_s_port_tells_what_masters_say_and_not_what_replicas_make_of_it()
    {
        await using var stage = await StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[4]));
        await client.CallAsync("PSUBSCRIBE", "__keyevent@0__:*");
        foreach (var key in Keys) await SetAsync(stage, key, "PX", "30");
        var expected = Keys.SelectMany(key => (string[])["set", "expire", "expired"], (key, what) => $"pmessage __keyevent@0__:* __keyevent@0__:{what} {key}");
        Assert.Equal(expected.Order(), (await ReadAsync(client, 9, "2")).Order());
        await IsAtPeaceAsync(client);
    }

    [Theory]
    [InlineData("epoll", "1")]
    [InlineData("epoll", "3")]
    [InlineData("sockets", "1")]
    public async Task Replies_of_other_commands_stay_in_their_place(string transport, string loops)
    {
        await using var stage = await ClusterDoorStage.StartAsync(3, 0, Notifying, "--merge-keyspace", "yes", "--transport", transport, "--loops", loops);
        var (writer, door) = (await stage.DoorOfAsync(stage.Cluster.Nodes[1]), await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await using var client = await RespClient.ConnectAsync(door);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        var value = new string('v', 100_000);
        await client.CallAsync("SET", Keys[0], value); // of the own master: its push comes first
        await client.ReadReplyAsync();
        using var end = new CancellationTokenSource();
        var writing = WriteUntilAsync(writer, Keys[1], end.Token);

        var pushes = 0;
        for (var i = 0; i < 300; i++)
        {
            await client.SendAsync((byte[])[.. RespClient.Command("ECHO", $"before {i}"), .. RespClient.Command("GET", Keys[0]), .. RespClient.Command("ECHO", $"behind {i}")]);
            foreach (var expected in (string[])[$"before {i}", value, $"behind {i}"])
            {
                Reply reply;
                while ((reply = await client.ReadReplyAsync()).Type == '>')
                {
                    Assert.Equal(["pmessage", SetPattern, "__keyevent@0__:set", Keys[1]], reply.Texts);
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
        await IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task Who_may_not_subscribe_hears_the_refusal_and_nothing_else()
    {
        await using var stage = await StartAsync(0, "user low on >pw ~* +@all resetchannels &__keyevent@0__:del");
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("AUTH", "low", "pw");
        await client.CallAsync("HELLO", "3");
        Assert.StartsWith("NOPERM", (await client.CallAsync("PSUBSCRIBE", SetPattern)).Text, StringComparison.Ordinal);
        Assert.StartsWith("NOPERM", (await client.CallAsync("SUBSCRIBE", "__keyevent@0__:set")).Text, StringComparison.Ordinal);

        // What the client makes look like a confirmation is none.
        Assert.Equal("psubscribe", (await client.CallAsync("EVAL", $"return {{'psubscribe','{SetPattern}',1}}", "0")).Items[0].Text);
        Assert.Equal(["subscribe", "__keyevent@0__:del", "1"], (await client.CallAsync("SUBSCRIBE", "__keyevent@0__:del")).Texts);
        foreach (var key in Keys) await SetAsync(stage, key);
        foreach (var key in Keys) await CallAsync(stage, "DEL", key);
        Assert.Equal(Keys.Select(key => $"message __keyevent@0__:del {key}").Order(), (await ReadAsync(client, 3, "3")).Order());
        await IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task Unsubscribing_ends_it_and_so_does_reset()
    {
        await using var stage = await StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        await client.CallAsync("PSUBSCRIBE", "__keyevent@*__:del");
        Assert.Equal("2", (await stage.Program.AdminInfoAsync())["server.merged_connections"]);
        Assert.Equal(["punsubscribe", SetPattern, "1"], (await client.CallAsync("PUNSUBSCRIBE", SetPattern)).Texts);
        foreach (var key in Keys) await SetAsync(stage, key);
        foreach (var key in Keys) await CallAsync(stage, "DEL", key);
        Assert.Equal(Keys.Select(key => $"pmessage __keyevent@*__:del __keyevent@0__:del {key}").Order(), (await ReadAsync(client, 3, "3")).Order());

        Assert.Equal("punsubscribe", (await client.CallAsync("PUNSUBSCRIBE")).Items[0].Text);
        Assert.Equal("0", await EventuallyInfoAsync(stage, "merged_connections", "0"));
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        Assert.Equal("RESET", (await client.CallAsync("RESET")).Text);
        Assert.Equal("0", await EventuallyInfoAsync(stage, "merged_connections", "0"));
        foreach (var key in Keys) await SetAsync(stage, key);
        Assert.Equal("x", (await client.CallAsync("ECHO", "x")).Text);
        await IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task Hello_changes_the_protocol_of_what_is_merged()
    {
        await using var stage = await StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        foreach (var key in Keys) await SetAsync(stage, key);
        await ReadAsync(client, 3, "3");
        Assert.Equal('*', (await client.CallAsync("HELLO", "2")).Type);
        foreach (var key in Keys) await SetAsync(stage, key);
        await ReadAsync(client, 3, "2");
    }

    [Fact]
    [Trait("Against", "every-redis")]
    public async Task After_a_failover_and_with_a_new_master_all_are_heard_again()
    {
        await using var stage = await StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[1]); // another one
        await HearsAllAsync(stage, client);
        await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[0]); // the client's own: it is a replica now
        await HearsAllAsync(stage, client);

        var added = await stage.Cluster.AddNodeAsync();
        await stage.Cluster.ReshardAsync(await stage.Cluster.MasterOfAsync(7), added, 20);
        await HearsAllAsync(stage, client);
        Assert.Equal(stage.Cluster.IdOf(added), stage.Cluster.IdOf(await stage.Cluster.MasterOfAsync(7)));
    }

    [Fact]
    public async Task After_a_master_was_killed_its_successor_is_heard()
    {
        await using var stage = await StartAsync();
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        await RedisClusterServers.KillAsync(stage.Cluster.Nodes[1]);
        await stage.Cluster.FailedOverAsync(stage.Cluster.Nodes[1], 6000);
        await HearsAllAsync(stage, client);
    }

    [Theory]
    [InlineData("epoll")]
    [InlineData("sockets")]
    public async Task A_client_that_does_not_read_is_ended_and_the_others_are_served(string transport)
    {
        await using var stage = await ClusterDoorStage.StartAsync(3, 0, Notifying, "--merge-keyspace", "yes", "--transport", transport);
        await using var slow = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await using var other = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await slow.CallAsync("PSUBSCRIBE", SetPattern);
        await other.CallAsync("PSUBSCRIBE", SetPattern);
        var name = $"{{{Keys[1]}}}{new string('n', 100_000)}";
        var sent = 0;
        await Eventually.TrueAsync("the slow one to be cut", async () =>
        {
            for (var i = 0; i < 20; i++, sent++) await stage.Cluster.Nodes[1].CallAsync("SET", name, "1");
            await ReadAsync(other, 20, "2");
            return (await stage.Program.AdminInfoAsync())["server.merged_subscribers_cut"] == "1";
        }, TimeSpan.FromSeconds(60));
        Assert.True(sent * 100_000L > 8_000_000, $"{sent} messages are not too many");
        await slow.ReadToEndAsync();
        await HearsAllAsync(stage, other);
    }

    [Fact]
    public async Task Inside_a_transaction_the_subscription_is_the_own_node_s_alone_and_the_transaction_works()
    {
        await using var stage = await StartAsync(0);
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("HELLO", "3");
        Assert.Equal("OK", (await client.CallAsync("MULTI")).Text);
        Assert.Equal("QUEUED", (await client.CallAsync("PSUBSCRIBE", SetPattern)).Text);
        Assert.Equal("QUEUED", (await client.CallAsync("SET", Keys[0], "1")).Text);
        var exec = await client.CallAsync("EXEC");
        Assert.False(exec.IsError, exec.ToString());
        Assert.Equal("0", (await stage.Program.AdminInfoAsync())["server.merged_subscribers"]);
    }

    [Fact]
    public async Task Over_TLS_it_is_the_same()
    {
        using var tls = new TlsFolder();
        await using var stage = await ClusterDoorStage.StartAsync(
            3, 0, ["tls-cluster yes", .. Notifying, .. tls.NodeLines()], ["--merge-keyspace", "yes", "--upstream-ca", tls.Ca]);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        foreach (var key in Keys) await stage.Cluster.CallAsync("SET", key, "1");
        Assert.Equal(Keys.Select(key => $"pmessage {SetPattern} __keyevent@0__:set {key}").Order(), (await ReadAsync(client, 3, "2")).Order());
        Assert.Equal("2", (await stage.Program.AdminInfoAsync())["server.merged_connections"]);
    }

    [Fact]
    public async Task Without_the_option_only_the_own_node_is_heard()
    {
        await using var stage = await ClusterDoorStage.StartAsync(3, 0, Notifying);
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(stage.Cluster.Nodes[0]));
        await client.CallAsync("PSUBSCRIBE", SetPattern);
        foreach (var key in Keys) await SetAsync(stage, key);
        Assert.Equal([$"pmessage {SetPattern} __keyevent@0__:set {Keys[0]}"], await ReadAsync(client, 1, "2"));
        await IsAtPeaceAsync(client);
        Assert.DoesNotContain("server.merged_subscribers", (await stage.Program.AdminInfoAsync()).Keys);
    }

    [Fact]
    public async Task Something_published_by_hand_is_heard_once_from_each_master()
    {
        await using var stage = await StartAsync(0);
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("SUBSCRIBE", "__keyevent@0__:set");
        await stage.Cluster.Nodes[0].CallAsync("PUBLISH", "__keyevent@0__:set", "by hand");
        Assert.Equal(Enumerable.Repeat("message __keyevent@0__:set by hand", 3), await ReadAsync(client, 3, "2"));
        await IsAtPeaceAsync(client);
    }

    [Fact]
    public async Task A_login_that_may_not_subscribe_is_said_in_the_log_and_works_once_it_may()
    {
        await using var stage = await StartAsync(0);
        foreach (var node in stage.Cluster.Nodes) await node.CallAsync("ACL", "SETUSER", "client", "on", ">pw", "+@all", "~*", "&*");
        foreach (var node in stage.Cluster.Nodes) await node.CallAsync("ACL", "SETUSER", "default", "resetchannels", "&__keyevent@*__:*", "&__keyevt__:marker");
        await using var client = await RespClient.ConnectAsync(stage.Program.Port);
        await client.CallAsync("AUTH", "client", "pw");
        Assert.Equal("psubscribe", (await client.CallAsync("PSUBSCRIBE", SetPattern)).Items[0].Text);
        await stage.Program.Process.LineAsync("the refusal", line => line.Contains("refuses a subscription that --merge-keyspace needs", StringComparison.Ordinal));
        foreach (var node in stage.Cluster.Nodes) await node.CallAsync("ACL", "SETUSER", "default", "allchannels");
        await HearsAllAsync(stage, client);
    }

    private static Task<ClusterDoorStage> StartAsync(int replicasEach = 1, params string[] redis) =>
        ClusterDoorStage.StartAsync(3, replicasEach, [.. Notifying, .. redis], "--merge-keyspace", "yes");

    /// <summary>Through the door of the key's master.</summary>
    private static async Task CallAsync(ClusterDoorStage stage, params string[] command)
    {
        await using var client = await RespClient.ConnectAsync(await stage.DoorOfAsync(await stage.Cluster.MasterOfAsync(command[1])));
        var reply = await client.CallAsync(command);
        Assert.False(reply.IsError, reply.ToString());
    }

    private static Task SetAsync(ClusterDoorStage stage, string key, params string[] further) => CallAsync(stage, ["SET", key, "1", .. further]);

    private static async Task<int> WriteUntilAsync(int port, string key, CancellationToken end)
    {
        await using var client = await RespClient.ConnectAsync(port);
        var written = 0;
        for (; !end.IsCancellationRequested; written++) await client.CallAsync("SET", key, "1");
        return written;
    }

    /// <summary>So many messages, in words; nothing else comes between them.</summary>
    private static async Task<List<string>> ReadAsync(RespClient client, int count, string protocol)
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

    /// <summary>Nothing more comes than was read. A while is long enough: what would be too much has been on its way as long as what was heard.</summary>
    private static async Task IsAtPeaceAsync(RespClient client) => Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(300)), "more came than was expected");

    /// <summary>Sets keys until each was heard: there is a short gap while masters change.</summary>
    private static async Task HearsAllAsync(ClusterDoorStage stage, RespClient client)
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

    private static async Task<string> EventuallyInfoAsync(ClusterDoorStage stage, string field, string value) =>
        (await Eventually.ValueAsync(field, stage.Program.AdminInfoAsync, info => info[$"server.{field}"] == value))[$"server.{field}"];
}
