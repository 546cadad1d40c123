// Where are events stored in a cluster while the broker is away, and does all of it leave again, once and in order?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ClusterFallbackTests(SharedBroker broker)
{
    private const int Keys = 300;

    [Fact]
    public Task Each_master_has_a_list_of_its_own_events() => RunAsync("$", [], async (rig, relay) =>
    {
        relay.Cut();
        await SetAsync(rig, "a");
        await StoredAsync(rig, Keys);

        var lists = await rig.ListsAsync();
        Assert.Equal(await rig.Redis.MastersAsync(), lists.Select(list => list.Node));
        foreach (var list in lists)
        {
            var slot = (int)(await list.Node.CallAsync("CLUSTER", "KEYSLOT", list.Key)).Integer;
            Assert.Same(list.Node, await rig.Redis.MasterOfAsync(slot));
            var own = (await list.Node.CallAsync("KEYS", "a:*")).Texts;
            Assert.Equal(own.Order(), (await list.LastAsync(Keys)).Select(entry => entry.Split('\n')[3]).Order());
            Assert.Single(await rig.Program.AdminInfoAsync(), field => field.Key.StartsWith("fallback.list_", StringComparison.Ordinal)
                && field.Value.StartsWith($"key={list.Key},entries={own.Count},", StringComparison.Ordinal) && field.Value.Contains($":{list.Node.Port},", StringComparison.Ordinal));
        }

        relay.Accept();
        await DrainedAsync(rig, Keys);
    });

    [Fact]
    public Task A_list_whose_slot_moves_is_followed_and_its_old_master_gets_another() => RunAsync("$", [], async (rig, relay) =>
    {
        relay.Cut();
        await SetAsync(rig, "a");
        await StoredAsync(rig, Keys);
        var list = (await rig.ListsAsync())[0];
        var other = (await rig.Redis.MastersAsync()).First(node => node != list.Node);
        await MoveAsync(rig, ClusterSlot.Of(list.Key), list.Node, other);
        await SetAsync(rig, "a");
        await StoredAsync(rig, 2 * Keys);

        var lists = await rig.ListsAsync();
        Assert.Equal(4, lists.Count);
        Assert.Equal(2, lists.Count(one => one.Node == other));
        Assert.Single(lists, one => one.Node == list.Node);
        relay.Accept();
        await DrainedAsync(rig, 2 * Keys);
    });

    [Fact]
    public Task A_key_whose_slot_moves_while_it_is_written_has_its_events_in_order() => RunAsync("$", [], async (rig, relay) =>
    {
        relay.Cut();
        const string Key = "wanderer";
        var slot = ClusterSlot.Of(Key);
        var masters = await rig.Redis.MastersAsync();
        // Alternating events, so that each one's place can be told.
        for (var round = 0; round < 6; round++)
        {
            await rig.Redis.CallAsync("SET", Key, "v");
            var from = await rig.Redis.MasterOfAsync(slot);
            // Much else on the node that it goes to: that list is the longer one.
            await MoveAsync(rig, slot, from, masters[(masters.ToList().IndexOf(from) + 1) % masters.Count]);
            await rig.Redis.CallAsync("APPEND", Key, "w");
            await SetAsync(rig, "a");
            await ReceivedAsync(rig, (round + 1) * (Keys + 2));
        }

        await StoredAsync(rig, 6 * (Keys + 2));
        relay.Accept();
        await DrainedAsync(rig, 6 * (Keys + 2));
        var events = rig.Consumer.Received.Where(message => message.Key == Key).Select(message => message.Event);
        Assert.Equal(Enumerable.Repeat<string[]>(["set", "append"], 6).SelectMany(pair => pair), events);
    });

    [Fact]
    public Task A_list_that_refuses_is_stood_in_for_by_another() => RunAsync("g", [], async (rig, relay) =>
    {
        await SetAsync(rig, "a");
        await SetAsync(rig, "b");
        relay.Cut();
        await DeleteAsync(rig, "a");
        await StoredAsync(rig, Keys);
        var full = (await rig.ListsAsync())[0];
        var before = await full.LengthAsync();
        await full.Node.CallAsync("CONFIG", "SET", "maxmemory", "1"); // takes DEL, refuses RPUSH
        await DeleteAsync(rig, "b");
        await StoredAsync(rig, 2 * Keys);

        Assert.Equal(before, await full.LengthAsync());
        Assert.Equal(2 * Keys, await LengthAsync(rig));
        relay.Accept();
        await DrainedAsync(rig, 2 * Keys);
        await full.Node.CallAsync("CONFIG", "SET", "maxmemory", "0");
    });

    [Fact]
    public Task The_cap_is_that_of_all_lists_together() => RunAsync("$", ["--fallback-storage-size", "100"], async (rig, relay) =>
    {
        relay.Cut();
        await SetAsync(rig, "a");
        await Eventually.ValueAsync("200 to be dropped", () => rig.NumberAsync("ledger.dropped_fallback_cap"), dropped => dropped == Keys - 100);
        Assert.Equal(100, await LengthAsync(rig));
        relay.Accept();
        await DrainedAsync(rig, 100);
    });

    [Fact]
    public async Task What_an_earlier_run_left_under_any_tag_is_sent()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisClusterServers.StartAsync();
        string[] keys = [FallbackList.Name, .. Enumerable.Range(0, 9).Select(tag => $"{FallbackList.Name}{{{tag.ToString(CultureInfo.InvariantCulture)}}}")];
        foreach (var (index, key) in keys.Index())
        {
            await redis.CallAsync("RPUSH", key, $"\u0001{index:x16}-{index + 1}-1\n0\nset\nfirst {index}", $"\u0001{index:x16}-{index + 1}-2\n0\nset\nsecond {index}");
        }

        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", rabbit.Url, "--routing-key", queue, "--keymask", "ALL", "--events", "$"]);

        await consumer.WaitForAsync(2 * keys.Length, TimeSpan.FromSeconds(30));
        Assert.Equal(2 * keys.Length, consumer.Received.Select(message => message.Text).Distinct().Count());
        foreach (var index in Enumerable.Range(0, keys.Length))
        {
            Assert.Equal([$"first {index}", $"second {index}"], consumer.Received.Select(message => message.Key).Where(key => key.EndsWith($" {index}", StringComparison.Ordinal)));
        }

        await Eventually.TrueAsync("the lists to be empty", async () => (await FallbackList.OnAsync(await redis.MastersAsync())).Count == 0);
        var info = await program.AdminInfoAsync();
        Assert.Equal((2 * keys.Length).ToString(CultureInfo.InvariantCulture), info["ledger.adopted"]);
        Ledger.AssertAddsUp(info);
    }

    private async Task RunAsync(string events, string[] options, Func<ClusterRig, Relay, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await ClusterRig.RunAsync(rabbit, events, ["--delivery-mode", "2", .. options], rig => act(rig, relay), relay.Port);
    }

    private static async Task SetAsync(ClusterRig rig, string prefix)
    {
        for (var n = 0; n < Keys; n++) await rig.Redis.CallAsync("SET", $"{prefix}:{n}", "v");
    }

    private static async Task DeleteAsync(ClusterRig rig, string prefix)
    {
        for (var n = 0; n < Keys; n++) await rig.Redis.CallAsync("DEL", $"{prefix}:{n}");
    }

    private static async Task MoveAsync(ClusterRig rig, int slot, RedisServer from, RedisServer to)
    {
        await rig.Redis.BeginMoveAsync(slot, from, to);
        await RedisClusterServers.MoveKeysAsync(slot, from, to);
        await rig.Redis.EndMoveAsync(slot, to);
    }

    private static async Task<long> LengthAsync(ClusterRig rig)
    {
        long length = 0;
        foreach (var list in await rig.ListsAsync()) length += await list.LengthAsync();
        return length;
    }

    private static Task ReceivedAsync(ClusterRig rig, int count) =>
        Eventually.ValueAsync($"{count} received events", async () => await rig.NumberAsync("ledger.received") - await rig.NumberAsync("ledger.filtered"), received => received >= count, TimeSpan.FromSeconds(30));

    private static Task StoredAsync(ClusterRig rig, int count) =>
        Eventually.ValueAsync($"{count} stored events", () => rig.NumberAsync("ledger.waiting_fallback"), waiting => waiting == count, TimeSpan.FromSeconds(30));

    /// <summary>Everything has come, once, each node's in its order, and nothing is left.</summary>
    private static async Task DrainedAsync(ClusterRig rig, int count)
    {
        await rig.Consumer.WaitForAsync(count, TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync("the lists to be empty", async () => await LengthAsync(rig) == 0);
        await Eventually.ValueAsync("the ledger to say so", () => rig.NumberAsync("ledger.waiting_fallback"), waiting => waiting == 0);
        Assert.Equal(count, rig.Consumer.Count);
        var order = new StreamOrder();
        Assert.All(rig.Consumer.Received, message => Assert.True(order.Add(message.MessageId)));
        Assert.Null(order.FirstFault);
        Assert.Equal(0, await rig.NumberAsync("ledger.dropped_fallback_lost"));
    }
}
