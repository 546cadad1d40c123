// With a proxy before each node of a cluster, and the nodes announcing the proxies: do cluster-aware clients work, and are commands answered at each?
using System.Globalization;
using System.Net;
using System.Text;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ProxyPerNodeTests(SharedBroker broker)
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
                var run = (await node.CallAsync("INFO", "server")).Text.Split("run_id:")[1][..16];
                Assert.Equal([$"__keyevt__:marker:{run}"], (await node.CallAsync("PUBSUB", "CHANNELS", "__keyevt__:*")).Texts);
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

    [Fact]
    public async Task A_command_given_to_one_reaches_all_also_those_beside_replicas()
    {
        await using var proxies = await ProxiesAsync(await RedisClusterServers.StartAsync(), await broker.GetAsync());
        for (var round = 0; round < proxies.All.Count; round++)
        {
            var mask = $"^k{round}";
            Assert.Equal("OK", (await proxies.All[round].CallAsync("key_evt_amqp.keymask_set", mask)).Text);
            foreach (var proxy in proxies.All)
            {
                await Eventually.ValueAsync($"{mask} at port {proxy.Port}", async () => (await proxy.CallAsync("key_evt_amqp.keymask_get")).Texts, masks => masks is [var only] && only == mask);
            }
        }
    }

    [Fact]
    public async Task Each_forwards_the_events_of_its_node_once_and_keeps_them_there_while_the_broker_is_away()
    {
        const int Keys = 300;
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await using var proxies = await ProxiesAsync(await RedisClusterServers.StartAsync(), rabbit, relay.Port);
        await SetAsync(proxies, "a", Keys);
        await proxies.Consumer.WaitForAsync(Keys, TimeSpan.FromSeconds(30));
        foreach (var proxy in proxies.All)
        {
            await Eventually.TrueAsync("the confirms", async () => (await proxy.AdminInfoAsync())["ledger.waiting_memory"] == "0"); // else they would be stored too
        }

        relay.Cut();
        await SetAsync(proxies, "b", Keys);
        await Eventually.ValueAsync("all to be stored", () => StoredAsync(proxies), stored => stored == Keys, TimeSpan.FromSeconds(30));
        Assert.Equal(3, (await FallbackList.OnAsync(await proxies.Cluster.MastersAsync())).Count);
        relay.Accept();
        await proxies.Consumer.WaitForAsync(2 * Keys, TimeSpan.FromSeconds(30));
        await Eventually.ValueAsync("empty lists", () => StoredAsync(proxies), stored => stored == 0);

        // Where a replica becomes the master, its proxy goes on.
        await proxies.Cluster.FailoverAsync(await proxies.Cluster.MasterOfAsync(0));
        foreach (var proxy in proxies.All) await proxy.ReadyAsync();
        await Eventually.TrueAsync("events of all slots", async () =>
        {
            await SetAsync(proxies, "c", Keys);
            return proxies.Consumer.Received.Select(message => message.Key).Where(key => key.StartsWith('c')).Distinct().Count() == Keys;
        });
        Assert.Equal(2 * Keys, proxies.Consumer.Received.Count(message => message.Key[0] != 'c'));
        foreach (var proxy in proxies.All) Ledger.AssertAddsUp(await proxy.AdminInfoAsync());
    }

    private static async Task SetAsync(PerNode proxies, string prefix, int keys)
    {
        for (var n = 0; n < keys; n++) await proxies.Cluster.CallAsync("SET", $"{prefix}:{n}", "v");
    }

    private static async Task<long> StoredAsync(PerNode proxies)
    {
        long stored = 0;
        foreach (var list in await FallbackList.OnAsync(await proxies.Cluster.MastersAsync())) stored += await list.LengthAsync();
        return stored;
    }

    /// <param name="amqpPort">Where they find the broker; null: at its own port.</param>
    private static async Task<PerNode> ProxiesAsync(RedisClusterServers cluster, RabbitServer rabbit, int? amqpPort = null)
    {
        var queue = $"q{Guid.NewGuid():N}";
        var all = new PerNode(cluster, await EventConsumer.StartAsync(rabbit.Broker, queue), []);
        foreach (var node in cluster.Nodes)
        {
            all.All.Add(await KeyEvtProcess.StartAsync(["--upstream", node.Url, "--amqp", rabbit.UrlWith(port: amqpPort), "--routing-key", queue, "--events", "$", "--keymask", "ALL", "--delivery-mode", "2"], waitReady: false));
        }

        return all;
    }

    private sealed record PerNode(RedisClusterServers Cluster, EventConsumer Consumer, List<KeyEvtProcess> All) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var proxy in All) await proxy.DisposeAsync();
            await Consumer.DisposeAsync();
            await Cluster.DisposeAsync();
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
