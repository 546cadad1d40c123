// FaultStage B4 and B5: what happens while the broker has an alarm and reads nothing?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerCollection.Name)]
public sealed class B04_MemoryAlarmTests(OwnBroker broker)
{
    [Fact]
    public Task B4_While_the_broker_has_a_memory_alarm_events_are_stored_and_the_connection_is_kept() =>
        AlarmAsync(["set_vm_memory_high_watermark", "0"], "memory", "vm_memory_high_watermark");

    [Fact]
    public Task B5_While_the_broker_has_a_disk_alarm_events_are_stored_and_the_connection_is_kept() =>
        AlarmAsync(["set_disk_free_limit", "1000GB"], "disk", "disk_free_limit");

    [Fact]
    public async Task B5_With_both_alarms_it_is_blocked_until_the_last_one_is_over()
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting(), async stage =>
        {
            try
            {
                await using var run = stage.StartRun();
                await run.MoreAsync(500);
                await stage.Rabbit.CtlAsync("set_vm_memory_high_watermark", "0");
                await stage.WaitForFieldAsync("amqp.state", state => state == "blocked");
                await stage.Rabbit.CtlAsync("set_disk_free_limit", "1000GB");
                await stage.Rabbit.CtlAsync("set_vm_memory_high_watermark", "0.4");
                await run.MoreAsync(1000);
                Assert.Equal("blocked", (await stage.InfoAsync())["amqp.state"]);
                await stage.Program.Process.SaysAsync("[2103]");
                Assert.Single(stage.Program.Process.OutputLines.Concat(stage.Program.Process.ErrorLines), line => line.Contains("[2103]", StringComparison.Ordinal));
                await stage.Rabbit.CtlAsync("set_disk_free_limit", "50MB");
                await stage.NothingIsLostAsync(run);
                Assert.Equal(1, await stage.NumberAsync("amqp.connects"));
            }
            finally
            {
                await NoAlarmAsync(stage.Rabbit);
            }
        });
    }

    private async Task AlarmAsync(string[] raise, string resource, string remedy)
    {
        await Stage.RunAsync(await broker.GetAsync(), BrokerFault.Setting("--heartbeat", "1"), async stage =>
        {
            try
            {
                await using var run = stage.StartRun();
                await run.MoreAsync(500);
                await stage.Rabbit.CtlAsync(raise);
                await stage.WaitForFieldAsync("amqp.state", state => state == "blocked");
                var info = await stage.InfoAsync();
                Assert.Contains(resource, info["amqp.blocked_reason"], StringComparison.Ordinal);
                Assert.Contains(remedy, info["amqp.blocked_reason"], StringComparison.Ordinal);
                await stage.Program.Process.SaysAsync(remedy);
                await stage.StoringAsync();

                // Longer than three heartbeats, which is when a connection without an alarm counts as dead.
                await Eventually.HoldsAsync("it is blocked, on the first connection", async () => await IsAsync(stage, "blocked", connects: "1"), TimeSpan.FromSeconds(4));
                var stored = await stage.FallbackLengthAsync();
                await run.MoreAsync(500);
                await Eventually.ValueAsync("more to be stored", stage.FallbackLengthAsync, length => length > stored);

                await NoAlarmAsync(stage.Rabbit);
                Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
                Assert.True(await IsAsync(stage, "connected", connects: "1"));
                Assert.Equal("", (await stage.InfoAsync())["amqp.blocked_reason"]);
            }
            finally
            {
                await NoAlarmAsync(stage.Rabbit);
            }
        });
    }

    private static async Task<bool> IsAsync(Stage stage, string state, string connects)
    {
        var info = await stage.InfoAsync();
        return info["amqp.state"] == state && info["amqp.connects"] == connects;
    }

    private static async Task NoAlarmAsync(RabbitServer rabbit)
    {
        await rabbit.CtlAsync("set_vm_memory_high_watermark", "0.4");
        await rabbit.CtlAsync("set_disk_free_limit", "50MB");
    }
}
