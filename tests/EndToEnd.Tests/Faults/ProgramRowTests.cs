// FaultStage P1, P2, P3, P11, P12: what is lost when the program itself is killed, stopped, frozen, reconfigured, or its clock jumps?
using System.Collections.Concurrent;
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class ProgramRowTests(SharedBroker broker)
{
    [Fact]
    public async Task P1_P13_Killed_at_random_times_it_loses_at_most_what_was_only_in_memory_or_nobody_heard_and_says_so()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            for (var kills = 0; kills < 4; kills++)
            {
                var stored = 0L;
                if (kills % 2 == 1)
                {
                    relay.Cut();
                    await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 100);
                    await run.Watch.LookAsync();
                    stored = await stage.FallbackLengthAsync();
                }
                else
                {
                    await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 100);
                }
                await run.MoreAsync(random.Next(1500, 3000)); // a second or two: the kill comes at any moment
                var killing = run.KillProgramAsync();
                Assert.True(await stage.FallbackLengthAsync() >= stored, "the kill took from the fallback list");
                relay.Accept();
                await killing;
            }

            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost(); // outside of the gaps that each next life has declared
            Assert.True(verdict.Recovered > 100);
            Assert.Equal(4, run.Watch.Gaps.Count(gap => gap.Cause == "not_running"));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P2_SIGTERM_under_load_ends_it_with_0_within_10_s_and_everything_confirmed_or_stored(bool isBrokerThere)
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            var full = new WriterSetting(stage.Program.Port) { Rate = 0, Pipeline = 100 };
            await using var run = stage.StartRun(full, new WriterSetting(stage.Redis.Port) { Rate = 2000, Pipeline = 20 });
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 5000);
            if (!isBrokerThere)
                relay.Cut();
            await run.MoreAsync(5000);
            var (code, took) = await run.StopProgramAsync(first =>
            {
                Assert.Contains("Stopped: every event is confirmed, stored or counted", first.AllText, StringComparison.Ordinal);
                relay.Accept();
            });
            Assert.Equal(0, code);
            Assert.True(took < TimeSpan.FromSeconds(10), $"it took {took.TotalSeconds:0.0} s");
            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            if (!isBrokerThere)
                Assert.True(verdict.Recovered > 1000, verdict.ToString());
        });
    }

    [Fact]
    public async Task P11_Frozen_for_5_s_it_catches_up_and_doubles_nothing_but_with_equal_ids()
    {
        await RunAsync(FaultStage.Setting, async (stage, _) =>
        {
            const int Rate = 1000;
            await using var run = stage.StartRun(new WriterSetting(stage.Redis.Port) { Rate = Rate }, new WriterSetting(stage.Program.Port));
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 500);
            stage.Program.Freeze();
            await run.MoreAsync(5 * Rate); // 5 s of the one that writes straight to Redis
            stage.Program.Thaw();
            await run.MoreAsync(500);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Empty(verdict.InDeclaredGap);
        });
    }

    [Fact]
    public async Task P12_Reconfigured_again_and_again_under_load_each_event_goes_the_old_or_the_new_way_and_none_is_lost()
    {
        await RunAsync(FaultStage.Setting, async (stage, relay) =>
        {
            string[] exchanges = ["amq.direct", "amq.topic"], keys = [stage.Queue, stage.Queue + ".other"], masks = ["ALL", "^t:"];
            foreach (var exchange in exchanges)
            {
                foreach (var key in keys)
                    await stage.Rabbit.Broker.DeclareAsync(stage.Queue, exchange, key);
            }

            await using var run = stage.StartRun();
            var ways = new ConcurrentDictionary<string, int>();
            var take = stage.Consumer.OnReceived!;
            stage.Consumer.OnReceived = message =>
            {
                var way = $"{message.Exchange} {message.RoutingKey}";
                ways.AddOrUpdate(way, 1, (_, count) => count + 1);
                take(message);
            };
            await using var client = await stage.ConnectAsync();
            for (var n = 0; n < 60; n++)
            {
                await run.MoreAsync(30);
                await SetAsync(n);
            }

            // So far a way may have been taken back before an event went by it; now each gets its time.
            ways.Clear();
            for (var n = 0; n < 4; n++)
            {
                await SetAsync(n);
                var way = $"{exchanges[n / 2 % 2]} {keys[n % 2]}";
                await Eventually.TrueAsync(
                    $"an event by {way}",
                    async () =>
                    {
                        await run.MoreAsync(10);
                        return ways.ContainsKey(way);
                    });
            }

            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Equal(exchanges.SelectMany(exchange => keys.Select(key => $"{exchange} {key}")).Order(), ways.Keys.Order());

            async Task SetAsync(int n)
            {
                string[] command =
                [
                    "key_evt_amqp.config_set", "127.0.0.1", relay.Port.ToString(CultureInfo.InvariantCulture), RabbitServer.User, RabbitServer.Password, "30",
                    exchanges[n / 2 % 2], keys[n % 2], "2", "1000000", masks[n / 4 % 2],
                ];
                Assert.Equal("OK", (await client.CallAsync(command)).Text);
            }
        });
    }

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
