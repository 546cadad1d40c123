// Row R05: is a node listened to before it serves slots, and left when it is removed?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R05_NodeAddedTests(SharedBroker broker)
{
    [Fact]
    public async Task A_node_is_covered_before_it_serves_slots_and_given_up_when_it_is_removed() => await ClusterRig.RunWritingAsync(await broker.GetAsync(), async (rig, run) =>
    {
        var node = await rig.Redis.AddNodeAsync();
        await rig.CoveredAsync(4, 3);
        await rig.Redis.ReshardAsync(await rig.Redis.MasterOfAsync(0), node, 100);
        await run.MoreAsync(1000);
        await rig.Redis.ReshardAsync(node, await rig.Redis.MasterOfAsync(16383), 100);
        await rig.Redis.RemoveNodeAsync(node);
        await rig.CoveredAsync(3, 3);
    });
}
