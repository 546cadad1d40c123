// Does the fallback storage keep Redis from its clients, however long the list and whatever others do to it?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

/// <summary>
/// Redis itself says how long it was busy with what the program asked of it (SLOWLOG). A step takes it well under a millisecond; the bound here allows for a machine that takes
/// the processor away from Redis in the middle of one.
/// </summary>
public sealed class LongListTests(SharedBroker broker) : IDisposable
{
    private const int Old = 1_000_000;

    /// <summary>In microseconds.</summary>
    private const int SlowFrom = 20_000;

    /// <summary>In microseconds, beyond what the machine itself has kept a thread from running.</summary>
    private const int NeverSlowerThan = 150_000;

    private static readonly string[] Watched = [$"slowlog-log-slower-than {SlowFrom}", "slowlog-max-len 1000"];

    private StallWatch? _stalls;

    public void Dispose() => _stalls?.Dispose();

    [Fact]
    public async Task R18_B17_A_million_entries_at_their_cap_with_a_slow_broker_and_others_who_meddle_and_each_loss_has_its_reason()
    {
        var setting = new StageSetting
        {
            Redis = Watched,
            Events = "$",
            Before = redis => FillAsync(redis, Old),
            Options = ["--fallback-storage-size", Old.ToString(CultureInfo.InvariantCulture), "--buffer-bytes", "2m"],
        };
        await RunAsync(setting, async (stage, relay) =>
        {
            await stage.WaitForNumberAsync("ledger.adopted", adopted => adopted == Old);
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "capped", 3000);
            await stage.WaitForNumberAsync("ledger.dropped_fallback_cap", dropped => dropped == 3000);

            relay.Delay = TimeSpan.FromMilliseconds(50);
            relay.Accept();
            await stage.WaitForFieldAsync("amqp.delivery", state => state == "draining");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 0);
            var link = (await stage.InfoAsync())["amqp.epoch"];
            await Changes.SetAsync(client, "meanwhile", 20_000); // more than memory is to hold: the cap takes from the front what is being sent from there
            await stage.WaitForNumberAsync("ledger.dropped_fallback_cap", dropped => dropped > 3000);

            await MeddleAsync(stage, "LTRIM", "3000", "-1");
            await MeddleAsync(stage, "LTRIM", "0", "-5001");
            await MeddleAsync(stage, "RENAME", Stage.FallbackKey, "elsewhere");
            await Changes.SetAsync(client, "after", 2000);
            await MeddleAsync(stage, "UNLINK");
            await Changes.SetAsync(client, "last", 2000);

            relay.Delay = TimeSpan.Zero;
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 0, TimeSpan.FromSeconds(60));
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);
            await NeverBusyAsync(stage);
            var info = await stage.InfoAsync();
            Ledger.AssertAddsUp(info);
            Assert.True(Number(info, "ledger.dropped_fallback_lost") > Old / 2, "what was renamed is lost");

            // Nothing is sent twice on one link: what was sent and what was counted as dropped are all there was.
            Assert.Equal(link, info["amqp.epoch"]);
            Assert.Equal(Number(info, "ledger.adopted") + Number(info, "ledger.received") - Number(info, "ledger.filtered"), Number(info, "ledger.confirmed") + Dropped(info));
            await stage.Consumer.WaitForAsync((int)Number(info, "ledger.confirmed"));
            Assert.Equal("last:1999", stage.Consumer.Received[^1].Key);
            Assert.Equal(stage.Consumer.Received.Count, stage.Consumer.Received.Select(message => message.Key).Distinct().Count());
        });
    }

    [Fact]
    public async Task P15_Two_programs_with_one_backlog_send_all_of_it_and_Redis_is_never_busy()
    {
        const int Backlog = 50_000;
        await RunAsync(new StageSetting { Redis = Watched, Events = "$", Before = redis => FillAsync(redis, Backlog) }, async (stage, relay) =>
        {
            await stage.WaitForNumberAsync("ledger.adopted", adopted => adopted == Backlog);
            await using var second = await KeyEvtProcess.StartAsync([.. stage.Arguments(), "--group", "another"]);
            await Eventually.ValueAsync("the second one to know of them", async () => (await second.InfoAsync())["ledger.adopted"], adopted => adopted == $"{Backlog}");
            relay.Accept();
            await Eventually.ValueAsync("an empty list", stage.FallbackLengthAsync, length => length == 0, TimeSpan.FromSeconds(60));
            await Eventually.ValueAsync("all of them", () => Task.FromResult(stage.Consumer.Received.Select(message => message.Key).Distinct().Count()), keys => keys == Backlog);
            await NeverBusyAsync(stage);
            await Eventually.ValueAsync("nothing to wait in the second one", async () => (await second.InfoAsync())["ledger.waiting_fallback"], waiting => waiting == "0");
            Ledger.AssertAddsUp(await second.InfoAsync());
        });
    }

    [Fact]
    public async Task B18_Entries_of_a_megabyte_are_sent_in_order_and_Redis_is_never_busy()
    {
        await RunAsync(new StageSetting { Redis = Watched, Events = "$" }, async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = Enumerable.Range(0, 60).Select(n => $"{n}:{new string('k', 1_000_000)}").ToArray();
            foreach (var key in keys)
            {
                Assert.Equal("OK", (await client.CallAsync("SET", key, "v")).Text);
                await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);
            }

            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Length);
            relay.Accept();
            await AssertSentAsync(stage, keys);
            await NeverBusyAsync(stage, slowIsOneIn: 5);
        });
    }

    /// <summary>As an event of today they would be cut off by Redis' own limit for a subscriber.</summary>
    [Fact]
    public async Task B18_Entries_of_thirty_megabytes_that_others_left_are_sent_once_each()
    {
        var keys = Enumerable.Range(0, 5).Select(n => $"{n}:{new string('k', 30_000_000)}").ToArray();
        var setting = new StageSetting
        {
            Events = "$",
            Before = async redis =>
            {
                foreach (var key in keys) await redis.CallAsync("RPUSH", Stage.FallbackKey, $"0\nset\n{key}");
            },
        };
        await RunAsync(setting, async (stage, relay) =>
        {
            relay.Accept();
            await AssertSentAsync(stage, keys);
        });
    }

    private static async Task AssertSentAsync(Stage stage, string[] keys)
    {
        await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == keys.Length, TimeSpan.FromSeconds(60));
        await stage.Consumer.WaitForAsync(keys.Length);
        Assert.Equal(keys.Select(key => key.Length), stage.Consumer.Received.Select(message => message.Key.Length));
        Assert.Equal(keys.Select(key => key[..3]), stage.Consumer.Received.Select(message => message.Key[..3]));
        await Eventually.ValueAsync("an empty list", stage.FallbackLengthAsync, length => length == 0);
    }

    /// <summary>As the module left them: bodies without an id.</summary>
    private static async Task FillAsync(RedisServer redis, int count)
    {
        const int AtOnce = 10_000;
        await using var client = await redis.ConnectAsync();
        for (var n = 0; n < count; n += AtOnce)
        {
            await client.CallAsync("EVAL", "for i = ARGV[1], ARGV[1] + ARGV[2] - 1 do redis.call('RPUSH', KEYS[1], '0\\nset\\nold:' .. string.format('%d', i)) end", "1", Stage.FallbackKey, $"{n}", $"{AtOnce}");
        }

        await client.CallAsync("SLOWLOG", "RESET");
    }

    private static async Task MeddleAsync(Stage stage, string command, params string[] arguments)
    {
        var confirmed = await stage.NumberAsync("ledger.confirmed");
        string[] full = command == "RENAME" ? [command, .. arguments] : [command, Stage.FallbackKey, .. arguments];
        Assert.False((await stage.Redis.CallAsync(full)).IsError);
        await stage.WaitForNumberAsync("ledger.confirmed", now => now > confirmed); // the drain has gone on
    }

    /// <summary>
    /// What takes long by its kind takes long each time. A machine that takes the processor away makes a few steps slow, the more of them there are: of all steps at most one in twenty (or three) may be.
    /// Steps that carry a megabyte touch new memory, so a loaded machine makes more of them wait.
    /// </summary>
    private async Task NeverBusyAsync(Stage stage, int slowIsOneIn = 20)
    {
        // cmdstat_evalsha:calls=1234,usec=...
        var steps = (await stage.Redis.CallAsync("INFO", "commandstats")).Text.Split('\n').First(line => line.StartsWith("cmdstat_evalsha:", StringComparison.Ordinal));
        var allowed = Math.Max(3, int.Parse(steps.Split('=', ',')[1], CultureInfo.InvariantCulture) / slowIsOneIn);

        // id, time, microseconds, arguments, address, client name
        var slow = (await stage.Redis.CallAsync("SLOWLOG", "GET", "-1")).Items.Where(entry => entry.Items[5].Text.StartsWith("keyevt", StringComparison.Ordinal)).ToList();
        var texts = slow.Select(entry => $"{entry.Items[2].Text} us: {string.Join(' ', entry.Items[3].Texts.Select(text => text.Length > 40 ? text[..40] : text).Take(3))}").ToList();
        var most = NeverSlowerThan + _stalls!.Longest.TotalMicroseconds;
        Assert.True(slow.Count <= allowed && slow.TrueForAll(entry => entry.Items[2].Integer < most), $"{string.Join("; ", texts)}; a thread was kept from running for {_stalls.Longest.TotalMilliseconds} ms at most");
    }

    private static long Number(IReadOnlyDictionary<string, string> info, string field) => long.Parse(info[field], CultureInfo.InvariantCulture);

    private static long Dropped(IReadOnlyDictionary<string, string> info) =>
        info.Where(field => field.Key.StartsWith("ledger.dropped_", StringComparison.Ordinal)).Sum(field => long.Parse(field.Value, CultureInfo.InvariantCulture));

    /// <summary>The broker is away at first.</summary>
    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        relay.Cut();
        await Stage.RunAsync(rabbit, setting with { AmqpPort = relay.Port }, stage =>
        {
            _stalls = new StallWatch(); // the servers' start is over
            return act(stage, relay);
        });
    }
}
