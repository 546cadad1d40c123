// With a proxy before each node of a cluster, and the nodes announcing the proxies: do cluster-aware clients work, and are commands answered at each?
using System.Globalization;
using System.Net;
using System.Text;
using KeyEvt.Servers;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ProxyPerNodeTests
{
    [Fact]
    public async Task Cluster_aware_clients_work_through_one_proxy_per_node()
    {
        await using var cluster = await RedisClusterServers.StartAsync(3, 0);
        var proxies = new List<KeyEvtProcess>();
        try
        {
            foreach (var node in cluster.Nodes)
            {
                var proxy = await KeyEvtProcess.StartAsync(["--upstream", node.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--keymask", "^nothing-of-this-name"]);
                proxies.Add(proxy);
                await node.CallAsync("CONFIG", "SET", "cluster-announce-port", proxy.Port.ToString(CultureInfo.InvariantCulture));
            }
            var announced = proxies.Select(proxy => proxy.Port).ToHashSet();
            foreach (var node in cluster.Nodes)
            {
                await Eventually.TrueAsync("the proxies to be announced", async () => (await cluster.LinesAsync(node)).All(line => announced.Contains(line.Port)));
            }

            await ByRedisCliAsync(proxies[0], announced);
            await ByStackExchangeAsync(proxies[0], announced);
            foreach (var node in cluster.Nodes)
            {
                await Eventually.TrueAsync("a channel for markers of the node's own", async () => (await node.CallAsync("PUBSUB", "SHARDCHANNELS", "__keyevt__:*")).Items.Count == 1);
                Assert.Empty((await node.CallAsync("PUBSUB", "CHANNELS", "__keyevt__:*")).Items);
            }

            foreach (var proxy in proxies)
            {
                Assert.StartsWith("# server", (await proxy.CallAsync("key_evt_amqp.info", "server")).Text, StringComparison.OrdinalIgnoreCase);
                Assert.True((await proxy.CallAsync("DBSIZE")).Integer > 20);
            }
        }
        finally
        {
            foreach (var proxy in proxies) await proxy.DisposeAsync();
        }
    }

    private static async Task ByRedisCliAsync(KeyEvtProcess proxy, HashSet<int> announced)
    {
        var keys = Enumerable.Range(0, 60).Select(n => $"cli:{n}").ToList();
        var said = await proxy.Cli.RunWithAsync(["-c"], Encoding.ASCII.GetBytes(string.Concat(keys.Select(key => $"SET {key} {key}\nGET {key}\n"))));
        var lines = said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(keys, lines.Where(line => line.StartsWith("cli:", StringComparison.Ordinal)));
        Assert.Equal(3, announced.Count);
    }

    private static async Task ByStackExchangeAsync(KeyEvtProcess proxy, HashSet<int> announced)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions { EndPoints = { { "127.0.0.1", proxy.Port } } });
        var database = connection.GetDatabase();
        var keys = Enumerable.Range(0, 200).Select(n => $"ser:{n}").ToList();
        await Task.WhenAll(keys.Select(key => database.StringSetAsync(key, key)));
        Assert.Equal(keys, (await Task.WhenAll(keys.Select(key => database.StringGetAsync(key)))).Select(value => (string?)value));
        Assert.Equal(announced.Order(), connection.GetEndPoints().Cast<IPEndPoint>().Select(endPoint => endPoint.Port).Order());
    }
}
