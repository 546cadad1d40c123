// Does each event of a cluster with replicas arrive once?
using KeyEvt.EndToEnd.Tests.Faults;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ClusterEventsTests(SharedBroker broker)
{
    [Fact]
    [Trait("Against", "every-redis")]
    public async Task Keys_over_all_slots_expire_once_each()
    {
        await ClusterRig.RunAsync(await broker.GetAsync(), "x", [], async rig =>
        {
            for (var n = 0; n < 3000; n += 100)
            {
                await Task.WhenAll(Enumerable.Range(n, 100).Select(i => rig.Redis.CallAsync("SET", $"k:{i}", "v", "PX", "300")));
            }

            await Eventually.ValueAsync("3,000 events", () => Task.FromResult(rig.Consumer.Count), count => count >= 3000, TimeSpan.FromSeconds(30));
            await Eventually.ValueAsync("the echoes to be held back", () => rig.NumberAsync("ledger.waiting_memory"), waiting => waiting == 0);
            Assert.Equal(3000, rig.Consumer.Received.Select(one => one.Key).Distinct().Count());
            Assert.Equal(3000, rig.Consumer.Count);
            Assert.All(rig.Consumer.Received, one => Assert.Equal("expired", one.Event));
        });
    }
}
