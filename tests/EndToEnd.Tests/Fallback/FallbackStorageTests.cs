// What is in the fallback storage, how long, and in which order does it leave?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

/// <summary>The broker is "away" by a relay that is cut, so that all tests can share one.</summary>
[Trait("Against", "every-redis")]
public sealed class FallbackStorageTests(SharedBroker broker)
{
    [Fact]
    public async Task An_entry_is_its_id_and_the_body()
    {
        await RunAsync(new StageSetting(), async (stage, relay) =>
        {
            relay.Cut();
            await stage.CallAsync("SET", "k\n1", "v");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1);
            var entry = (await stage.Redis.CallAsync("LINDEX", Stage.FallbackKey, "0")).Text;
            Assert.Equal('\x01', entry[0]);
            Assert.Equal(["0", "set", "k", "1"], entry.Split('\n')[1..]);
            relay.Accept();
            await stage.Consumer.WaitForTextsAsync("0\nset\nk\n1");
            Assert.Equal(entry[1..entry.IndexOf('\n', StringComparison.Ordinal)], stage.Consumer.Received[0].MessageId);
        });
    }

    [Fact]
    public async Task Stored_events_come_before_newer_ones()
    {
        await RunAsync(new StageSetting { Events = "$" }, async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            relay.Cut();
            var stored = await Changes.SetAsync(client, "stored", 5000);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 0);
            relay.Accept();
            var newer = await Changes.SetAsync(client, "newer", 5000);
            await stage.Consumer.WaitForAsync(10_000, TimeSpan.FromSeconds(30));
            Assert.Equal(stored.Concat(newer), stage.Consumer.Received.Select(message => message.Key));
        });
    }

    [Fact]
    public async Task At_its_cap_the_oldest_make_room()
    {
        await RunAsync(new StageSetting { Events = "$", Options = ["--fallback-storage-size", "100"] }, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", 1000);
            await stage.WaitForNumberAsync("ledger.dropped_fallback_cap", dropped => dropped == 900);
            Assert.Equal(100, await stage.FallbackLengthAsync());
            await stage.LedgerAddsUpAsync();
            relay.Accept();
            await stage.Consumer.WaitForAsync(100);
            Assert.Equal(keys[900..], stage.Consumer.Received.Select(message => message.Key));
        });
    }

    [Fact]
    public async Task Switched_off_nothing_is_stored()
    {
        await RunAsync(new StageSetting { Events = "$", Options = ["--fallback-storage-size", "-1"] }, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 1000);
            await stage.WaitForNumberAsync("ledger.received", received => received == 1000);
            Assert.Equal(0, await stage.FallbackLengthAsync());
            relay.Accept();
            await stage.Consumer.WaitForAsync(1000);
        });
    }

    [Fact]
    public async Task A_smaller_size_set_while_it_runs_counts_at_once()
    {
        await RunAsync(new StageSetting { Events = "$" }, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 500);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 500);
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.fallback_storage_size_set", "50")).Text);
            await stage.CallAsync("SET", "one more", "1");
            await Eventually.ValueAsync("50 entries", stage.FallbackLengthAsync, length => length == 50);
            relay.Accept();
            await stage.Consumer.WaitForAsync(50);
            Assert.Equal("one more", stage.Consumer.Received[^1].Key);
        });
    }

    [Fact]
    public async Task Entries_of_the_old_module_are_sent_too_and_first()
    {
        string[] old = [.. Enumerable.Range(0, 50).Select(n => $"0\nexpired\nold:{n}\n:")];
        var setting = new StageSetting { Events = "$", Before = redis => redis.CallAsync(["RPUSH", Stage.FallbackKey, .. old]) };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            await stage.Consumer.WaitForTextsAsync(old);
            await stage.CallAsync("SET", "new", "1");
            await stage.Consumer.WaitForTextsAsync([.. old, "0\nset\nnew"]);
            Assert.Equal(50, await stage.NumberAsync("ledger.adopted"));
            await Eventually.ValueAsync("an empty fallback storage", stage.FallbackLengthAsync, length => length == 0);
        });
    }

    [Theory]
    [InlineData("KEA", "A")]
    [InlineData("KEAmn", "Amn")]
    public async Task The_fallback_key_itself_never_makes_an_event(string flags, string events)
    {
        var setting = new StageSetting { Events = events, Before = redis => redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", flags) };
        await RunAsync(setting, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 500);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting >= 500);
            await Eventually.ValueAsync("nothing in memory", () => stage.NumberAsync("ledger.waiting_memory"), waiting => waiting == 0);
            var stored = await stage.FallbackLengthAsync();
            relay.Accept();
            await stage.Consumer.WaitForAsync((int)stored);
            await stage.CallAsync("RPUSH", "end", "1");
            await Eventually.TrueAsync("the end", () => stage.Consumer.Received.Any(message => message.Key == "end"));
            Assert.DoesNotContain(stage.Consumer.Received, message => message.Key == Stage.FallbackKey);
            Assert.Equal(500, stage.Consumer.Received.Count(message => message.Event == "set"));
        });
    }

    [Fact]
    public async Task Flushall_of_the_stored_events_is_noticed_and_counted()
    {
        await RunAsync(new StageSetting { Events = "$" }, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 200);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 200);
            await stage.CallAsync("FLUSHALL");
            relay.Accept();
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nafter");
            await stage.WaitForNumberAsync("ledger.dropped_fallback_lost", lost => lost == 200);
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, setting with { AmqpPort = relay.Port }, stage => act(stage, relay));
    }
}
