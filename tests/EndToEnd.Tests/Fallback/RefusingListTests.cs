// Does a list in Redis that refuses hold up anything but its own entries?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

public sealed class RefusingListTests(SharedBroker broker)
{
    private const int Count = 200;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_right_that_is_taken_away_is_said_and_what_is_stored_follows_when_it_is_back(bool hasSpool)
    {
        using var folder = new PrivateFolder("spool");
        var setting = new StageSetting
        {
            Login = ["kv", "p"],
            Before = redis => redis.CallAsync("ACL", "SETUSER", "kv", "on", ">p", "~*", "&*", "+@all"),
        };
        await RunAsync(setting, hasSpool ? folder : null, async (stage, relay) =>
        {
            relay.Cut();
            await using var client = await stage.ConnectAsync();
            var stored = await Changes.SetAsync(client, "stored", Count);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == Count);
            await stage.Redis.CallAsync("ACL", "SETUSER", "kv", "-eval", "-evalsha", "-llen");
            var newer = await Changes.SetAsync(client, "newer", Count);
            if (hasSpool) await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == Count);

            relay.Accept();
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(newer, stage.Consumer.Received.Select(message => message.Key));
            await stage.WaitForFieldAsync("fallback.list_0", list => list.Contains($"entries={Count}", StringComparison.Ordinal) && list.Contains("last_error=NOPERM", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("that the list refuses", line => line.Contains("NOPERM", StringComparison.Ordinal));

            await stage.Redis.CallAsync("ACL", "SETUSER", "kv", "+@all");
            await stage.Consumer.WaitForAsync(2 * Count);
            Assert.Equal(stored, stage.Consumer.Received.Skip(Count).Select(message => message.Key));
            await Eventually.ValueAsync("an empty list", stage.FallbackLengthAsync, length => length == 0);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_value_of_another_kind_under_its_key_is_said_and_events_flow(bool hasSpool)
    {
        using var folder = new PrivateFolder("spool");
        await RunAsync(new StageSetting { Before = redis => redis.CallAsync("SET", Stage.FallbackKey, "x") }, hasSpool ? folder : null, async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            relay.Cut();
            var keys = await Changes.SetAsync(client, "k", Count);
            await stage.WaitForFieldAsync("fallback.list_0", list => list.Contains("last_error=WRONGTYPE", StringComparison.Ordinal));
            if (hasSpool) await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == Count);
            relay.Accept();
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key));

            await stage.Redis.CallAsync("DEL", Stage.FallbackKey);
            await stage.WaitForFieldAsync("fallback.last_error", error => error == "");
            relay.Cut();
            await Changes.SetAsync(client, "again", Count);
            await Eventually.ValueAsync("the list to take them", stage.FallbackLengthAsync, length => length == Count);
            relay.Accept();
            await stage.Consumer.WaitForAsync(2 * Count);
        });
    }

    private async Task RunAsync(StageSetting setting, PrivateFolder? folder, Func<Stage, Relay, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        var complete = setting with { AmqpPort = relay.Port, Events = "$", Options = folder is null ? [] : ["--spool", folder.Path] };
        await Stage.RunAsync(rabbit, complete, stage => act(stage, relay));
    }
}
