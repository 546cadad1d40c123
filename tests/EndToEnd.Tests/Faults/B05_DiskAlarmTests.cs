// Row B05: what happens while the broker has a disk alarm, alone or together with a memory alarm?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B05_DiskAlarmTests(OwnBroker broker)
{
    [Fact]
    public Task While_the_broker_has_a_disk_alarm_events_are_stored_and_the_connection_is_kept() =>
        BrokerAlarms.StoresAsync(broker, ["set_disk_free_limit", "1000GB"], "disk", "disk_free_limit");

    [Fact]
    public async Task With_both_alarms_it_is_blocked_until_the_last_one_is_over()
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
                await BrokerAlarms.EndAsync(stage.Rabbit);
            }
        });
    }
}
