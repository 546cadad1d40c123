// Where do events go when neither RabbitMQ nor Redis takes them?
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fallback;

/// <summary>Redis is "full" by a maxmemory of one byte: it refuses whatever needs memory, and still deletes, which makes the events.</summary>
public sealed partial class SpoolTests(SharedBroker broker)
{
    private const int Count = 3000;

    private static readonly string[] Keys = [.. Enumerable.Range(0, Count).Select(n => $"k:{n}")];

    [Fact]
    public async Task R9_what_redis_refuses_is_spooled_survives_a_restart_and_is_sent_in_order_with_its_ids()
    {
        using var folder = new PrivateFolder("spool");
        await RunAsync(Spooled(folder), async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            await FillAsync(stage, client);
            relay.Cut();
            await DeleteAsync(client, Keys[..(Count / 2)]);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == Count / 2);
            Assert.Equal(0, await stage.FallbackLengthAsync());
            await stage.WaitForNumberAsync("fallback.entries", entries => entries == Count / 2); // the books follow the disk
            Assert.Equal(SpoolFiles(folder).Sum(file => file.Length), await stage.NumberAsync("fallback.spool_bytes"));
            Assert.Contains($"keyevt_spool_entries {Count / 2}", (await stage.Program.GetAsync("/metrics")).Body, StringComparison.Ordinal);
            await stage.LedgerAddsUpAsync();

            await stage.Program.KillAsync();
            var stored = IdsIn(folder);
            Assert.Equal(Count / 2, stored.Length);
            await stage.Program.RestartAsync();
            await stage.WaitForNumberAsync("ledger.adopted", adopted => adopted == Count / 2);
            await using var again = await stage.ConnectAsync();
            await DeleteAsync(again, Keys[(Count / 2)..]);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == Count);

            relay.Accept();
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(Keys, stage.Consumer.Received.Select(message => message.Key));
            Assert.Equal(stored, stage.Consumer.Received.Take(Count / 2).Select(message => message.MessageId));
            Assert.Equal(Count, stage.Consumer.Received.Select(message => message.MessageId).Distinct().Count());
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 0);
            Assert.Empty(SpoolFiles(folder));
            Assert.Equal(0, await stage.NumberAsync("fallback.spool_bytes"));
        });
    }

    [Fact]
    public async Task Events_of_list_and_spool_come_in_their_order()
    {
        using var folder = new PrivateFolder("spool");
        await RunAsync(Spooled(folder), async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            await FillAsync(stage, client, full: false);
            relay.Cut();
            await DeleteAsync(client, Keys[..1000]);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1000);
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "1");
            await DeleteAsync(client, Keys[1000..2000]);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 1000);
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "0");
            await DeleteAsync(client, Keys[2000..]); // newer than what is in the spool: there too
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 2000);
            Assert.Equal(1000, await stage.FallbackLengthAsync());
            relay.Accept();
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(Keys, stage.Consumer.Received.Select(message => message.Key));
            await Eventually.TrueAsync("no files", () => SpoolFiles(folder).Length == 0);
            Assert.Equal(0, await stage.FallbackLengthAsync());
        });
    }

    [Fact]
    public async Task With_the_list_switched_off_the_spool_is_the_storage()
    {
        using var folder = new PrivateFolder("spool");
        await RunAsync(Spooled(folder, "--fallback-storage-size", "-1"), async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            await FillAsync(stage, client, full: false);
            relay.Cut();
            await DeleteAsync(client, Keys);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == Count);
            Assert.Equal(0, await stage.FallbackLengthAsync());
            Assert.Equal(0, await stage.Program.StopAsync());
            relay.Accept();
            await using var next = await KeyEvtProcess.StartAsync(stage.Arguments());
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(Keys, stage.Consumer.Received.Select(message => message.Key));
        });
    }

    [Fact]
    public async Task A_full_disk_is_noticed_counted_and_tried_again_and_loses_nothing()
    {
        using var folder = new PrivateFolder("spool");
        string[] small = ["unshare", "--mount", "--map-root-user", "sh", "-c", $"mount -t tmpfs -o size=128k none {folder.Path} && exec \"$@\"", "sh"];
        Assert.SkipUnless((await Run.ToEndAsync(small[0], [.. small[1..], "true"])).ExitCode == 0, "a mount namespace of one's own is not allowed here");
        await RunAsync(Spooled(folder) with { Through = small }, async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = Keys.Select(key => key + new string('x', 200)).ToArray(); // 10 times what the disk holds
            await FillAsync(stage, client, keys: keys);
            relay.Cut();
            for (var n = 0; n < Count; n += 100)
            {
                await DeleteAsync(client, keys[n..(n + 100)]);
                var given = n + 100;
                await stage.WaitForNumberAsync("ledger.received", received => received == given);
                if (n == 0) await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 100); // a batch that fits
            }

            await stage.WaitForFieldAsync("fallback.last_error", error => error.Contains("cannot be used", StringComparison.Ordinal) && error.Contains(folder.Path, StringComparison.Ordinal));
            var refusals = await stage.NumberAsync("fallback.refusals");
            await stage.WaitForNumberAsync("fallback.refusals", now => now > refusals); // tried again
            Assert.InRange(await stage.NumberAsync("fallback.spool_entries"), 1, Count - 1);
            Assert.Equal(Count, await stage.NumberAsync("ledger.waiting_memory") + await stage.NumberAsync("ledger.waiting_fallback"));
            await stage.Program.Process.LineAsync("that the disk is full", line => line.Contains("the fallback storage cannot take events", StringComparison.Ordinal));

            relay.Accept();
            await stage.Consumer.WaitForAsync(Count, TimeSpan.FromSeconds(40));
            Assert.Equal(keys, stage.Consumer.Received.Select(message => message.Key));
            await stage.WaitForNumberAsync("fallback.spool_bytes", bytes => bytes == 0);
            await stage.WaitForFieldAsync("fallback.last_error", error => error == "");
        });
    }

    [Fact]
    public async Task A_folder_removed_in_use_is_made_again_and_what_was_in_it_is_counted_as_lost_and_never_as_stored()
    {
        using var folder = new PrivateFolder("spool");
        await RunAsync(Spooled(folder, "--fallback-storage-size", "-1"), async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            await FillAsync(stage, client, full: false);
            relay.Cut();
            await DeleteAsync(client, Keys[..1000]);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 1000);
            Directory.Delete(folder.Path, recursive: true);
            await stage.WaitForNumberAsync("ledger.dropped_fallback_lost", lost => lost == 1000); // also when nothing more is written
            await stage.Program.Process.LineAsync("what was lost", line => line.Contains("1000 events that were in them are lost", StringComparison.Ordinal));

            await DeleteAsync(client, Keys[1000..2000]);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 1000);
            Directory.Delete(folder.Path, recursive: true);
            await DeleteAsync(client, Keys[2000..]);
            await stage.WaitForNumberAsync("ledger.dropped_fallback_lost", lost => lost == 2000);
            await stage.WaitForNumberAsync("fallback.spool_entries", entries => entries == 1000);
            await stage.LedgerAddsUpAsync();
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.Equal(1000, IdsIn(folder).Length);

            relay.Accept();
            await using var next = await KeyEvtProcess.StartAsync(stage.Arguments());
            await stage.Consumer.WaitForAsync(1000);
            Assert.Equal(Keys[2000..], stage.Consumer.Received.Select(message => message.Key));
        });
    }

    [Fact]
    public async Task Without_a_spool_events_wait_in_memory_and_come_in_order()
    {
        await RunAsync(Spooled(null), async (stage, relay) =>
        {
            await using var client = await stage.ConnectAsync();
            await FillAsync(stage, client);
            relay.Cut();
            await DeleteAsync(client, Keys);
            await stage.WaitForFieldAsync("fallback.last_error", error => error.StartsWith("OOM", StringComparison.Ordinal));
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == Count);
            relay.Accept();
            await stage.Consumer.WaitForAsync(Count);
            Assert.Equal(Keys, stage.Consumer.Received.Select(message => message.Key));
        });
    }

    private static StageSetting Spooled(PrivateFolder? folder, params string[] options) =>
        new() { Events = "g", Options = [.. folder is null ? [] : new[] { "--spool", folder.Path }, .. options] };

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, setting with { AmqpPort = relay.Port }, stage => act(stage, relay));
    }

    private static async Task FillAsync(Stage stage, RespClient client, bool full = true, string[]? keys = null)
    {
        await Changes.SetAsync(client, keys ?? Keys);
        if (full) await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "1");
    }

    private static async Task DeleteAsync(RespClient client, string[] keys)
    {
        await client.SendAsync(keys.SelectMany(key => RespClient.Command("DEL", key)).ToArray());
        foreach (var _ in keys) Assert.Equal(1, (await client.ReadReplyAsync()).Integer);
    }

    private static FileInfo[] SpoolFiles(PrivateFolder folder) => new DirectoryInfo(folder.Path).GetFiles("*.spool");

    private static string[] IdsIn(PrivateFolder folder) =>
        [.. SpoolFiles(folder).OrderBy(file => file.Name, StringComparer.Ordinal).SelectMany(file => Entry().Matches(Encoding.Latin1.GetString(File.ReadAllBytes(file.FullName))).Select(match => match.Groups[1].Value))];

    [GeneratedRegex("\x01([0-9a-f]{16}-[0-9]+-[0-9]+)~@[0-9]+\n")]
    private static partial Regex Entry();
}
