// Row P03: what changes when the program's clock jumps?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>The program runs with libfaketime. A file says how far its wall clock is off. The monotonic clock stays as it is, just as when a real clock jumps.</summary>
public sealed class P03_ClockJumpsTests(SharedBroker broker)
{
    [Fact]
    public async Task When_the_clock_jumps_an_hour_ahead_and_two_back_nothing_but_timestamps_changes()
    {
        using var folder = new PrivateFolder("clock");
        var clock = folder.Write("offset", "+0");
        var setting = FaultStage.Setting with
        {
            Environment = new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = Library(),
                ["FAKETIME_TIMESTAMP_FILE"] = clock,
                ["FAKETIME_NO_CACHE"] = "1",

                // Debian builds libfaketime with this fix on. Its own condition variables then lose wake-ups, and a sleeping thread of the program stays asleep even without a jump.
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
                ["DONT_FAKE_MONOTONIC"] = "1",
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            },
        };
        await FaultStage.WithRelayAsync(await broker.GetAsync(), setting, async (stage, relay) =>
        {
            await using var run = stage.StartRun();
            var hours = new Dictionary<int, int>();
            var take = stage.Consumer.OnReceived!;
            stage.Consumer.OnReceived = message =>
            {
                var hour = (int)Math.Round((message.Timestamp - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()) / 3600.0);
                hours[hour] = hours.GetValueOrDefault(hour) + 1;
                take(message);
            };

            foreach (var hour in (int[])[0, 1, -1])
            {
                // The file is replaced and not rewritten, since the program reads it at any moment.
                File.Move(folder.Write("next", string.Create(CultureInfo.InvariantCulture, $"{hour * 3600:+0;-0;+0}")), clock, overwrite: true);
                await stage.WaitForFieldAsync("gaps.time", time => Math.Abs((DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) - TimeProvider.System.GetUtcNow()).TotalHours - hour) < 0.1);
                await stage.WaitForFieldAsync("amqp.delivery", delivery => delivery == "live");
                await run.MoreAsync(1500);
                // While the broker is away, deadlines, backoff, storing and draining run across the next jump.
                relay.Cut();
                await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting > 200);
                await run.Watch.LookAsync();
                relay.Accept();
            }

            await run.MoreAsync(500);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.Empty(verdict.Gaps);
            Assert.Equal([-1, 0, 1], hours.Keys.Order());
            Assert.True(verdict.Recovered > 500);
        });
    }

    private static string Library()
        => Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("libfaketime is missing: Debian's package faketime");
}
