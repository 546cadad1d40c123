// Does a command given to one member of a group change all of them, between the same two events?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class OneConfigurationTests(SharedBroker broker)
{
    [Fact]
    public async Task A_mask_that_one_member_is_given_is_in_force_on_all_from_the_same_event_on()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, holder) =>
        {
            var standby = stage.Members.First(member => member != holder);
            await using var writer = PairWriter.Start(stage.Redis); // t:1 u:1 t:2 u:2 ...
            await stage.Consumer.WaitForAsync(200);
            Assert.Equal("OK", (await standby.Program.CallAsync("key_evt_amqp.keymask_set", "^u:")).Text);
            Assert.Equal(["^u:"], await ConfigTest.MasksAsync(standby)); // the others have it when they have read the stream so far
            await ConfigTest.AllHaveAsync(stage, "^u:");

            var atReply = writer.Written;
            await stage.KillAsync(holder); // what it has not settled comes from the ring of another, which kept it by the mask in force then
            await stage.HolderAsync(holder, GroupTest.Takeover);
            var last = await writer.EndAsync();
            await Eventually.TrueAsync("the last key", () => stage.Consumer.Received.Any(message => message.Key == $"u:{last}"), TimeSpan.FromSeconds(20));

            var received = stage.Consumer.Received;
            foreach (var copies in received.GroupBy(message => message.Key))
            {
                Assert.Single(copies.Select(message => message.MessageId).Distinct());
            }

            var firsts = received.DistinctBy(message => message.Key).Select(message => message.Key).ToList();
            var border = firsts.FindIndex(key => key.StartsWith('u'));
            Assert.All(firsts[border..], key => Assert.StartsWith("u:", key, StringComparison.Ordinal));
            var (before, after) = (ConfigTest.NumberOf(firsts[border - 1]), ConfigTest.NumberOf(firsts[border]));
            Assert.True(after == before || after == before + 1, $"between t:{before} and u:{after} something is missing");
            Assert.True(after <= atReply + 1, $"the reply came before the change: the first key is u:{after}, and u:{atReply} was written");
            Assert.Equal(Enumerable.Range(1, before).Select(number => $"t:{number}"), firsts[..border]);
            Assert.Equal(Enumerable.Range(after, last - after + 1).Select(number => $"u:{number}"), firsts[border..]);
        });
    }

    [Fact]
    public async Task More_classes_are_heard_by_all_before_they_are_in_force()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, holder) =>
        {
            var standby = stage.Members.First(member => member != holder);
            await using var client = await standby.Program.ConnectAsync();
            for (var round = 1; round <= 5; round++)
            {
                await client.CallAsync("key_evt_amqp.events_set", "$");
                Assert.Equal("OK", (await client.CallAsync("key_evt_amqp.events_set", "$h")).Text);
                await client.CallAsync("HSET", $"t:h{round}", "f", "v"); // right behind the reply
                await client.CallAsync("SET", $"t:s{round}", "v");
            }

            string[] keys = [.. Enumerable.Range(1, 5).SelectMany(round => (string[])[$"t:h{round}", $"t:s{round}"])];
            await stage.Consumer.WaitForKeysAsync(keys);
            Assert.All(await ConfigTest.InfosAsync(stage), static info => Assert.Equal("no gap", info.GetValueOrDefault("gaps.gap_1", "no gap")));
        });
    }

    [Fact]
    public async Task Who_starts_later_and_who_starts_after_all_were_gone_have_what_commands_have_changed()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting { Names = ["a", "b", "c", "d"] }, async (stage, _) =>
        {
            var (a, d) = (stage.Members[0], stage.Members[3]);
            await stage.TerminateAsync(d);
            Assert.Equal("OK", (await a.Program.CallAsync("key_evt_amqp.keymask_set", "^v:", "with space")).Text);
            await d.StartAgainAsync();
            await ConfigTest.AllHaveAsync(stage, "^v:", "with space");

            await Task.WhenAll(stage.Members.Select(stage.KillAsync));
            await d.StartAgainAsync();
            await stage.HolderAsync();
            Assert.Equal(["^v:", "with space"], await ConfigTest.MasksAsync(d));
            await stage.Redis.CallAsync("SET", "v:1", "1");
            await stage.Consumer.WaitForKeysAsync(["v:1"]);
        });
    }

    [Fact]
    public async Task Commands_that_come_to_all_members_at_once_all_count()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, _) =>
        {
            await Task.WhenAll(stage.Members.Select(async member =>
            {
                for (var i = 0; i < 10; i++)
                {
                    Assert.Equal("OK", (await member.Program.CallAsync("key_evt_amqp.keymask_add", $"^{member.Name}{i}$")).Text);
                }
            }));
            string[] expected = ["^t:", .. stage.Members.SelectMany(member => Enumerable.Range(0, 10).Select(i => $"^{member.Name}{i}$"))];
            foreach (var member in stage.Members)
            {
                await Eventually.ValueAsync($"all masks at {member}", () => ConfigTest.MasksAsync(member), seen => seen.Order().SequenceEqual(expected.Order()));
            }
        });
    }

    [Fact]
    public async Task Disconnect_and_connect_are_for_all_members_and_answered_for_the_holder()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, holder) =>
        {
            var standby = stage.Members.First(member => member != holder);
            Assert.Contains("6 already connected", (await standby.Program.CallAsync("key_evt_amqp.connect")).Text, StringComparison.Ordinal);
            Assert.Equal("AMQP DISCONNECT OK", (await standby.Program.CallAsync("key_evt_amqp.disconnect")).Text);
            Assert.Contains("not connected", (await holder.Program.CallAsync("key_evt_amqp.disconnect")).Text, StringComparison.Ordinal);
            await stage.Redis.CallAsync("SET", "t:unheard", "1");
            await Eventually.TrueAsync("the event to be refused", async () => (await holder.Program.AdminInfoAsync())["ledger.dropped_disconnected"] == "1");

            stage.Relay.Cut();
            Assert.StartsWith("AMQP CONNECT ERROR: ", (await standby.Program.CallAsync("key_evt_amqp.connect")).Text, StringComparison.Ordinal);
            stage.Relay.Accept();
            await Eventually.TrueAsync("the connection", async () => (await standby.Program.CallAsync("key_evt_amqp.connect")).Text is var text && (text == "AMQP CONNECT OK" || text.Contains("already connected", StringComparison.Ordinal)));
            await stage.Redis.CallAsync("SET", "t:heard", "1");
            await stage.Consumer.WaitForKeysAsync(["t:heard"]);
        });
    }

    [Fact]
    public async Task Other_options_are_brought_in_and_a_reset_goes_back_to_those_of_the_member_that_is_asked()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting { OptionsOf = name => name == "b" ? ["--keymask", "^b:"] : [] }, async (stage, _) =>
        {
            // Whoever began the group, the other options came in once, and all have the same.
            var masks = await Eventually.ValueAsync("one configuration", async () => await Task.WhenAll(stage.Members.Select(ConfigTest.MasksAsync)), seen => seen.All(one => one.SequenceEqual(seen[0])));
            Assert.NotEmpty(masks[0]);

            Assert.Equal("OK", (await stage.Members[1].Program.CallAsync("key_evt_amqp.config_reset")).Text);
            await ConfigTest.AllHaveAsync(stage, "^t:", "^b:");
            Assert.Equal("OK", (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_reset")).Text);
            await ConfigTest.AllHaveAsync(stage, "^t:");
            Assert.Equal("OK", (await stage.Members[2].Program.CallAsync("MODULE", "UNLOAD", "key_evt_amqp")).Text);
            await ConfigTest.AllHaveAsync(stage);
        });
    }
}
