// Do cluster-aware clients work through the port of a cluster's nodes, while slots move and masters change?
using System.Globalization;
using System.Net;
using KeyEvt.EndToEnd.Tests.Clients;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ClusterClientTests
{
    [Theory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    [Trait("Against", "every-redis")]
    public async Task StackExchange_redis_reads_and_writes_all_slots_through_a_reshard_and_a_failover(RedisProtocol protocol)
    {
        await using var stage = await NodePortStage.StartAsync();
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", stage.Program.Port } }, Protocol = protocol, AbortOnConnectFail = false, SyncTimeout = 5000 };
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        var database = connection.GetDatabase();
        var keys = Enumerable.Range(0, 300).Select(n => $"key:{n}").ToList();
        await Task.WhenAll(keys.Select(key => database.StringSetAsync(key, key)));
        Assert.Equal(keys, (await Task.WhenAll(keys.Select(key => database.StringGetAsync(key)))).Select(value => (string?)value));

        await WhileInUseAsync(database, keys, async () =>
        {
            await stage.Cluster.ReshardAsync(stage.Cluster.Nodes[0], stage.Cluster.Nodes[1], 300);
            await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[2]);
        });
        await Eventually.TrueAsync("all values to be there", async () =>
        {
            foreach (var key in keys)
            {
                if (await database.StringGetAsync(key) != key) return false;
            }

            return true;
        });
        foreach (var endPoint in connection.GetEndPoints().Cast<IPEndPoint>())
        {
            Assert.True(endPoint.Port == stage.Program.Port || stage.IsNodePort(endPoint.Port), $"{endPoint} is no nodePort");
        }
    }

    [Fact]
    public async Task Ioredis_reads_and_writes_all_slots_through_a_reshard_and_a_failover()
    {
        await using var stage = await NodePortStage.StartAsync();
        using var client = ChildProcess.Start("node", [ClientProgramTests.Source("node", "ioredis-cluster.mjs"), stage.Program.Port.ToString(CultureInfo.InvariantCulture)], withInput: true);
        await client.LineAsync("that it has begun", line => line == "begun", TimeSpan.FromSeconds(30));
        await stage.Cluster.ReshardAsync(stage.Cluster.Nodes[0], stage.Cluster.Nodes[1], 300);
        await stage.Cluster.FailoverAsync(stage.Cluster.Nodes[2]);
        await client.Input.WriteLineAsync("end");
        await client.Input.FlushAsync(TestContext.Current.CancellationToken);
        var code = await client.ExitAsync(TimeSpan.FromSeconds(30));
        Assert.True(code == 0, client.AllText);
        Assert.Contains("wrong 0", client.AllText, StringComparison.Ordinal);
        var nodes = client.OutputLines.Single(line => line.StartsWith("nodes ", StringComparison.Ordinal))["nodes ".Length..].Split(' ');
        Assert.All(nodes, node => Assert.True(stage.IsNodePort(int.Parse(node.Split(':')[^1], CultureInfo.InvariantCulture)), node));
    }

    [Fact]
    public async Task After_a_master_was_killed_its_clients_find_the_new_one()
    {
        await using var stage = await NodePortStage.StartAsync();
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", stage.Program.Port } }, AbortOnConnectFail = false, SyncTimeout = 2000 };
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        var database = connection.GetDatabase();
        var key = ClusterSlot.KeyIn(7);
        await database.StringSetAsync(key, "before");
        var dead = stage.Cluster.Nodes[0];
        await RedisClusterServers.KillAsync(dead);
        await stage.Cluster.FailedOverAsync(dead, 7);
        await Eventually.TrueAsync("a write to the new master", () => database.StringSetAsync(key, "after"), TimeSpan.FromSeconds(30));
        Assert.Equal("after", (string?)await database.StringGetAsync(key));
    }

    private static async Task WhileInUseAsync(IDatabase database, List<string> keys, Func<Task> change)
    {
        using var end = new CancellationTokenSource();
        var (wrong, answers) = (0, 0);
        var users = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            while (!end.IsCancellationRequested)
            {
                var key = keys[random.Next(keys.Count)];
                try
                {
                    await database.StringSetAsync(key, key);
                    if (await database.StringGetAsync(key) != key) Interlocked.Increment(ref wrong);
                    Interlocked.Increment(ref answers);
                }
                catch (Exception e) when (e is RedisException or TimeoutException)
                {
                    await Task.Delay(5);
                }
            }
        })).ToArray();
        await change();
        await end.CancelAsync();
        await Task.WhenAll(users);
        Assert.Equal(0, wrong);
        Assert.True(answers > 100, $"{answers} answers");
    }
}
