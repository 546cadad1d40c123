// How does a test raise an alarm of RabbitMQ, and what must hold while it lasts?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>Shared by the rows about alarms. An alarm blocks every publisher of the broker until it is ended.</summary>
internal static class BrokerAlarms
{
    /// <summary>Raises one alarm and ends it. Meanwhile events must be stored, and the connection must be kept.</summary>
    /// <param name="raise">The arguments of rabbitmqctl.</param>
    /// <param name="resource">What the broker says it lacks.</param>
    /// <param name="remedy">The setting that the program must name.</param>
    public static async Task StoresAsync(OwnBroker broker, string[] raise, string resource, string remedy)
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

                // This is longer than three heartbeats. A silent connection without an alarm would count as dead by then.
                await Eventually.HoldsAsync("it is blocked, on the first connection", async () => await IsAsync(stage, "blocked", connects: "1"), TimeSpan.FromSeconds(4));
                var stored = await stage.FallbackLengthAsync();
                await run.MoreAsync(500);
                await Eventually.ValueAsync("more to be stored", stage.FallbackLengthAsync, length => length > stored);

                await EndAsync(stage.Rabbit);
                Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
                Assert.True(await IsAsync(stage, "connected", connects: "1"));
                Assert.Equal("", (await stage.InfoAsync())["amqp.blocked_reason"]);
            }
            finally
            {
                await EndAsync(stage.Rabbit);
            }
        });
    }

    /// <summary>Ends both alarms. It may be called when there is none.</summary>
    public static async Task EndAsync(RabbitServer rabbit)
    {
        await rabbit.CtlAsync("set_vm_memory_high_watermark", "0.4");
        await rabbit.CtlAsync("set_disk_free_limit", "50MB");
    }

    private static async Task<bool> IsAsync(Stage stage, string state, string connects)
    {
        var info = await stage.InfoAsync();
        return info["amqp.state"] == state && info["amqp.connects"] == connects;
    }
}
