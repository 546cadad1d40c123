// Row R09: what happens to events that a full Redis refuses to store?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R09_FallbackRefusedTests(SharedBroker broker)
{
    [Fact]
    public async Task Events_that_a_full_Redis_refuses_wait_in_memory_and_beyond_its_bound_are_counted_as_dropped_with_a_warning()
    {
        await RunAsync(FaultStage.Setting with { Options = [.. FaultStage.Setting.Options, "--buffer-bytes", "256k"] }, async (stage, relay) =>
        {
            // The broker goes away before the first event. So no event is unconfirmed, and none that is counted as dropped can have arrived.
            relay.Cut();
            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "1mb");
            await using var run = stage.StartRun([.. Enumerable.Repeat(new WriterSetting(stage.Program.Port) { Rate = 1000, EvenWhenFull = true }, 2)]);
            long most = 0, limit = 0;
            await Eventually.TrueAsync("some events to be dropped", async () =>
            {
                var info = await stage.InfoAsync();
                (most, limit) = (Math.Max(most, Number(info, "fallback.memory_bytes")), Number(info, "fallback.memory_limit"));
                return Number(info, "ledger.dropped_memory_full") > 500;
            });
            Assert.Equal(256 * 1024, limit);
            Assert.InRange(most, limit / 2, limit);
            Assert.Equal(0, await stage.FallbackLengthAsync());
            await stage.WaitForFieldAsync("fallback.last_error", error => error.Contains("OOM", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("that the store refuses", line => line.Contains("the fallback storage cannot take events: OOM", StringComparison.Ordinal));
            await stage.Program.Process.LineAsync("that memory is full", line => line.Contains("memory for waiting events is full", StringComparison.Ordinal));

            await stage.Redis.CallAsync("CONFIG", "SET", "maxmemory", "0");
            relay.Accept();
            await run.MoreAsync(300);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
            Assert.Equal(["memory_full"], verdict.Dropped.Keys);
        });
    }

    private static long Number(IReadOnlyDictionary<string, string> info, string field) => long.Parse(info[field], CultureInfo.InvariantCulture);

    private async Task RunAsync(StageSetting setting, Func<Stage, Relay, Task> act) => await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, act);
}
