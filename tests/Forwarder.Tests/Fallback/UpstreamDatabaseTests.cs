using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Topology;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using CommandFlags = StackExchange.Redis.CommandFlags;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>At which node is the fallback storage, and how long is it waited for at the start?</summary>
public sealed class UpstreamDatabaseTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly WillingRedis _redis = new();
    private UpstreamDatabase? _database;

    public async ValueTask DisposeAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
        _redis.Dispose();
    }

    [Fact]
    public async Task While_no_node_is_known_it_is_waited_for_2_s_or_until_one_is()
    {
        var topology = new FakeTopology(UpstreamShape.Standalone);
        var database = Made(topology);
        var first = database.KnownAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromMilliseconds(1));
        Assert.False(first.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await first.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        var second = database.KnownAsync().AsTask();
        Assert.False(second.IsCompleted);
        topology.Change(FakeTopology.Node("a", 1));
        await second.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(database.KnownAsync().AsTask().IsCompleted);
    }

    [Theory]
    [InlineData(UpstreamShape.Sentinel, 2, 2)]
    [InlineData(UpstreamShape.Sentinel, null, 1)]
    [InlineData(UpstreamShape.Standalone, 2, 1)]
    public void Where_Sentinel_may_replace_the_master_the_one_that_the_feeds_know_counts(UpstreamShape shape, int? portOfFeeds, int expected)
    {
        var ofFeeds = portOfFeeds is { } port ? new RedisAddress { Host = "127.0.0.1", Port = port } : null;
        Assert.Equal(expected, Made(new FakeTopology(shape, FakeTopology.Node("a", 1)), ofFeeds).Master?.Port);
    }

    [Fact]
    public async Task Without_a_master_there_is_no_place()
    {
        var database = Made(new FakeTopology(UpstreamShape.Standalone, FakeTopology.Node("a", 1, NodeRole.Replica)));
        Assert.Null(database.Master);
        await Assert.ThrowsAsync<IOException>(() => database.OfMasterAsync().AsTask());
    }

    [Fact]
    public async Task A_search_in_a_cluster_that_reaches_no_master_says_so_and_is_not_the_last()
    {
        var topology = new FakeTopology(UpstreamShape.Cluster, FakeTopology.Node("a", 1, failing: true));
        var stores = new ClusterStores(topology, _ => null, Made(topology), null, NullLogger.Instance, Lists.Alone, new ListFence());
        var error = await Assert.ThrowsAsync<StoreException>(stores.SearchAsync);
        Assert.Equal("no master serves slot 0 at the moment", error.Message);
        Assert.False(stores.IsSearched);
    }

    [Fact]
    public void A_list_whose_slot_has_moved_is_that_of_the_new_master_and_the_old_one_gets_another()
    {
        var topology = new FakeTopology(UpstreamShape.Cluster, Serving("a", 0, 10), Serving("b", 11, 20));
        var stores = new ClusterStores(topology, run => run == 1 ? "a" : "b", Made(topology), null, NullLogger.Instance, Lists.Alone, new ListFence());
        Assert.Equal(FallbackKey.In(10), stores.StoreOf(EventOf(1)).Name);
        topology.Change(Serving("a", 0, 9), Serving("b", 10, 20));
        Assert.Equal(FallbackKey.In(10), stores.StoreOf(EventOf(2)).Name);
        Assert.Equal(FallbackKey.In(9), stores.StoreOf(EventOf(1)).Name);
    }

    [Fact]
    public void A_node_that_is_gone_has_its_list_and_a_node_that_takes_its_slots_over_has_it_too()
    {
        var topology = new FakeTopology(UpstreamShape.Cluster, Serving("a", 0, 10), Serving("b", 11, 20), Serving("c", 21, 30));
        var stores = new ClusterStores(topology, run => run == 1 ? "a" : run == 2 ? "b" : "c", Made(topology), null, NullLogger.Instance, Lists.Alone, new ListFence());
        Assert.Equal(FallbackKey.In(10), stores.StoreOf(EventOf(1)).Name);
        Assert.Equal(FallbackKey.In(20), stores.StoreOf(EventOf(2)).Name);
        topology.Change(Serving("c", 0, 30));
        Assert.Equal(FallbackKey.In(10), stores.StoreOf(EventOf(3)).Name);
        Assert.Equal(FallbackKey.In(10), stores.StoreOf(EventOf(1)).Name);
        Assert.Equal(FallbackKey.In(20), stores.StoreOf(EventOf(2)).Name);
    }

    [Fact]
    public void What_a_replaced_master_has_left_goes_to_the_list_of_its_successor_though_it_never_had_one()
    {
        var topology = new FakeTopology(UpstreamShape.Cluster, Serving("c", 0, 10), Serving("b", 11, 20), FakeTopology.Node("a", 3, NodeRole.Replica) with { MasterId = "b" });
        var stores = new ClusterStores(topology, run => run == 1 ? "a" : "c", Made(topology), null, NullLogger.Instance, Lists.Alone, new ListFence());
        Assert.Equal(FallbackKey.In(20), stores.StoreOf(EventOf(1)).Name);
    }

    [Fact]
    public async Task In_a_group_only_the_lists_of_the_masters_that_are_held_are_used_and_looked_for()
    {
        var held = new HashSet<string> { "a" };
        var topology = new FakeTopology(UpstreamShape.Cluster, Serving("a", 0, 10), Serving("b", 11, SlotTag.Slots - 1));
        var stores = new ClusterStores(topology, run => run == 1 ? "a" : "b", Made(topology), null, NullLogger.Instance, ("orders", held.Contains, id => !held.Contains(id)), new ListFence());
        Assert.True(stores.HasNews());
        Assert.Equal((false, false), (stores.HasNews(), stores.IsSearched));
        Assert.Equal([FallbackKey.In(10)], stores.Elsewhere.Select(store => store.Name));
        Assert.Equal((true, false), (stores.StoreOf(EventOf(1)).IsOurs(), stores.StoreOf(EventOf(2)).IsOurs()));

        held.Clear();
        Assert.True(stores.HasNews());
        Assert.Empty(await stores.SearchAsync());
        Assert.Equal((true, false), (stores.IsSearched, stores.StoreOf(EventOf(1)).IsOurs()));

        held.Add("b");
        Assert.True(stores.HasNews());
        Assert.False(stores.IsSearched);
    }

    [Fact]
    public void With_a_spool_it_is_always_there_and_comes_before_the_other_lists()
    {
        var folder = Directory.CreateTempSubdirectory("keyevt-spool-");
        using (var spool = new LocalSpool(folder.FullName))
        {
            var topology = new FakeTopology(UpstreamShape.Cluster, Serving("a", 0, 10));
            var stores = new ClusterStores(topology, _ => null, Made(topology), NamedStore.Of(spool), NullLogger.Instance, Lists.Alone, new ListFence());
            Assert.Same(spool, Assert.Single(stores.Always).Store);
            Assert.Same(spool, stores.WithoutLists?.Store);
            Assert.Equal(["spool", FallbackKey.In(10)], stores.Elsewhere.Select(store => store.Name));
        }

        folder.Delete(recursive: true);
    }

    /// <summary>A place has the node's name where the list may come to another node.</summary>
    [Theory]
    [InlineData(UpstreamShape.Standalone, false)]
    [InlineData(UpstreamShape.Sentinel, true)]
    [InlineData(UpstreamShape.Cluster, true)]
    public async Task A_place_is_found_once_a_node_is_known(UpstreamShape shape, bool hasName)
    {
        var topology = new FakeTopology(shape);
        var database = Made(topology);
        var place = shape == UpstreamShape.Cluster ? database.OfSlotAsync(5).AsTask() : database.OfMasterAsync().AsTask();
        Assert.False(place.IsCompleted);
        topology.Change(FakeTopology.Node("a", _redis.Port));
        var found = await place.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(hasName ? $"redis://127.0.0.1:{_redis.Port}" : "", found.Name);
        Assert.Equal(CommandFlags.NoRedirect, found.Flags);
        Assert.Equal(0, found.Database.Database);
    }

    [Fact]
    public async Task At_the_end_the_connection_is_given_up_and_takes_no_more_commands()
    {
        var database = Made(new FakeTopology(UpstreamShape.Standalone, FakeTopology.Node("a", _redis.Port)));
        var place = await database.OfMasterAsync();
        await place.Database.PingAsync();
        await database.DisposeAsync();
        _database = null;
        await Assert.ThrowsAsync<ObjectDisposedException>(() => place.Database.PingAsync());
    }

    private static TopologyNode Serving(string id, int first, int last) => FakeTopology.Node(id, 1) with { Slots = [new SlotRange(first, last)] };

    private static LogEntry EventOf(ulong run)
    {
        var stored = Encoding.ASCII.GetBytes($"\u0001{new EventPosition(run, 1, 1)}\n0\nset\nk");
        return new LogEntry(0, stored, LogEntry.HeadLengthOf(stored), 0, 0);
    }

    private UpstreamDatabase Made(FakeTopology topology, RedisAddress? master = null)
    {
        var upstream = new UpstreamAddress { Shape = topology.Current.Shape, Seeds = [], Login = new RedisAddress { Host = "127.0.0.1", Port = 1 } };
        return _database = new UpstreamDatabase(upstream, topology, () => master, TlsClient.OfSystem("test"), "test", new BackgroundTasks(NullLogger.Instance), _time, NullLogger.Instance);
    }
}
