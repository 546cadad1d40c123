// Can the oracle fail, and does it stay silent when there is nothing to say?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Catalogue;

public sealed class OracleTests(SharedBroker broker)
{
    [Fact]
    public async Task Without_a_fault_everything_arrives_once()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(1000);
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
            Assert.True(verdict.Attempted >= 1000);
            Assert.Equal(verdict.Attempted, verdict.Received);
            Assert.Equal((0L, 0L, 0), (verdict.Duplicated, verdict.Recovered, verdict.InDeclaredGap.Count));
        });
    }

    [Fact]
    public async Task What_the_program_drops_is_lost_and_what_it_counts_is_compared()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 1000 });
            await run.MoreAsync(200);
            // Before something was routed, an unroutable event is kept and not dropped.
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed > 0);
            await stage.Rabbit.Broker.UseAsync(async channel =>
            {
                await channel.QueueUnbindAsync(stage.Queue, "amq.direct", stage.Queue);
                return true;
            });
            await stage.WaitForNumberAsync("ledger.dropped_unroutable", dropped => dropped > 100);
            await stage.Rabbit.Broker.DeclareAsync(stage.Queue, "amq.direct", stage.Queue);
            await run.MoreAsync(200);
            var verdict = await run.EndAndShowAsync();
            verdict.LostIsCounted();
            Assert.True(verdict.Dropped["unroutable"] > 100);
            Assert.Throws<InvalidOperationException>(verdict.NothingLost);
        });
    }

    [Fact]
    public async Task What_never_comes_and_is_counted_nowhere_is_lost()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 1000 });
            await run.MoreAsync(200);
            // From here on the events are filtered out.
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", "^nothing$")).Text);
            await run.MoreAsync(200);
            await run.StopWritingAsync();
            await Eventually.ValueAsync("all to be confirmed", () => stage.NumberAsync("ledger.waiting_memory"), waiting => waiting == 0);
            var verdict = await run.JudgeAsync();
            Assert.True(verdict.Lost.Count >= 200, verdict.ToString());
            Assert.Throws<InvalidOperationException>(verdict.LostIsCounted);
        });
    }

    [Fact]
    public async Task A_message_of_another_or_with_another_id_or_too_early_is_seen()
    {
        await Stage.RunAsync(await broker.GetAsync(), FaultStage.Setting, async stage =>
        {
            var all = new List<ReceivedEvent>();
            await using var run = stage.StartRun(new WriterSetting(stage.Program.Port) { Rate = 1000 });
            var take = stage.Consumer.OnReceived!;
            ReceivedEvent? held = null;
            stage.Consumer.OnReceived = message =>
            {
                // The second message is handed over after the third. The third comes twice, with two ids.
                if (all.Count == 1) held = message;
                else take(message);
                all.Add(message);
                if (all.Count != 3) return;
                take(held!);
                take(message with { MessageId = "other" });
            };
            await run.MoreAsync(100);
            await stage.CallAsync("SET", "somebody", "else");
            var verdict = await run.EndAndShowAsync();
            Assert.Equal(["0\\nset\\nsomebody"], verdict.Unexpected);
            Assert.Single(verdict.OtherIds);
            // The numbers of the writer and the positions of the node each show it.
            Assert.Equal(2, verdict.OutOfOrder.Count);
            Assert.Equal(1, verdict.Duplicated);
            Assert.Throws<InvalidOperationException>(verdict.NothingLost);
        });
    }
}
