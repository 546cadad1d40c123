using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Tests.Metrics;
using KeyEvt.Forwarder.Tests.Fallback;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Do the metrics say where events wait: in memory, in the list, in the spool?</summary>
public sealed class StoreMetricsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;
    private readonly LocalSpool _spool;
    private readonly Meter _meter = new("test");
    private readonly DeliveryRig _rig;

    public StoreMetricsTests()
    {
        _spool = new LocalSpool(_folder);
        var store = new FakeStore();
        _rig = new DeliveryRig(store, stores: Lists.One(store, NamedStore.Of(_spool)));
        StoreMetrics.Add(_meter, _rig.Loop, _spool, () => _rig.Config.FallbackStorageSize);
    }

    public void Dispose()
    {
        _meter.Dispose();
        _spool.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Events_wait_in_memory_then_in_the_list_and_then_in_the_spool()
    {
        Assert.Equal((0, 10_000_000, _rig.Options.BufferBytes), (Read("fallback.known"), Read("fallback.limit"), Read("memory.limit")));
        _rig.Broker.IsReachable = false;
        _rig.Give(3);
        Assert.Equal((3, _rig.Loop.Memory.Bytes), (Read("memory.events"), Read("memory.usage")));
        await _rig.AdvanceAsync(1);
        Assert.Equal((1, 0, 0), (Read("fallback.known"), Read("memory.events"), Read("memory.usage")));
        AssertLists(list: 3, spool: 0, draining: 0, refusals: 0);

        _rig.Store.IsDown = true;
        _rig.Give(2);
        for (var i = 0; i < 10; i++) await _rig.AdvanceAsync(0.1);
        Assert.Equal((2, _spool.Status.Bytes, 0), (Read("spool.entries"), Read("spool.usage"), Read("spool.damaged")));
        AssertLists(list: 3, spool: 2, draining: 0, refusals: _rig.Loop.Stores.Refusals);
        Assert.True(_rig.Loop.Stores.Refusals > 0);

        _rig.Store.IsDown = false;
        _rig.Broker.IsReachable = true;
        await _rig.AdvanceAsync(10);
        AssertLists(list: 3, spool: 2, draining: 3, refusals: _rig.Loop.Stores.Refusals);
    }

    [Fact]
    public void Without_a_spool_it_is_empty()
    {
        using var meter = new Meter("without");
        StoreMetrics.Add(meter, _rig.Loop, null, () => 0);
        var reader = new MeterReader(meter);
        Assert.Equal([0, 0, 0], new[] { "entries", "usage", "damaged" }.Select(name => reader.Read($"keyevt.spool.{name}")!.Value));
    }

    private void AssertLists(long list, long spool, long draining, long refusals)
    {
        Assert.Equal((list, spool), (Read("fallback.entries", ("list", "list")), Read("fallback.entries", ("list", "spool"))));
        Assert.Equal((draining, refusals), (Read("fallback.draining", ("list", "list")), Read("fallback.refusals", ("list", "list"))));
    }

    private long Read(string name, params (string Name, string Value)[] tags) => (long)new MeterReader(_meter).Read("keyevt." + name, tags)!.Value;
}
