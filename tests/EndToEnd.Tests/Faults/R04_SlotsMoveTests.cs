// Row R04: is anything lost when slots move to another node?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R04_SlotsMoveTests(SharedBroker broker)
{
    [Fact]
    public async Task Slots_that_move_lose_nothing() => await ClusterRig.RunWritingAsync(await broker.GetAsync(), async (rig, run) =>
        await rig.Redis.ReshardAsync(await rig.Redis.MasterOfAsync(0), await rig.Redis.MasterOfAsync(16383), 1000));

    [Fact]
    public async Task What_is_stored_is_sent_though_its_slot_has_moved_meanwhile()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await ClusterRig.RunAsync(rabbit, "$", ["--delivery-mode", "2"], async rig =>
        {
            await using var run = rig.StartRun();
            await run.MoreAsync(1000);
            relay.Cut();
            await Eventually.ValueAsync("events to be stored", rig.Program.AdminInfoAsync, info => info["ledger.waiting_fallback"] != "0", TimeSpan.FromSeconds(30));
            var list = (await rig.ListsAsync())[0];
            var (from, to) = (list.Node, (await rig.Redis.MastersAsync()).First(node => node != list.Node));
            var slot = ClusterSlot.Of(list.Key);
            await rig.Redis.BeginMoveAsync(slot, from, to);
            await RedisClusterServers.MoveKeysAsync(slot, from, to);
            await rig.Redis.EndMoveAsync(slot, to);
            await run.MoreAsync(1000);
            relay.Accept();
            var verdict = await run.EndAndShowAsync();
            verdict.NothingLost();
        }, relay.Port);
    }
}
