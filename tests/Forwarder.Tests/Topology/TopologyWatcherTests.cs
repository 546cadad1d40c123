using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Is a change of the nodes noticed, once, and told to those who wait?</summary>
public sealed class TopologyWatcherTests
{
    private static readonly UpstreamAddress Upstream = UpstreamAddress.Parse("redis+sentinel://h/m");

    [Fact]
    public async Task One_node_is_known_from_the_start()
    {
        await using var watcher = new TopologyWatcher(UpstreamAddress.Parse("redis://u:p@h"), new ScriptedNode(), TimeProvider.System, new RecordingLogger());
        watcher.Start();
        Assert.Equal("redis://u@h:6379", watcher.Current.Master!.Address.ToString());
        Assert.False(watcher.Changed.IsCompleted);
    }

    [Fact]
    public async Task A_change_is_a_new_version_and_the_same_again_is_none()
    {
        var finder = new Finder { Nodes = [Node("a", NodeRole.Master), Node("b", NodeRole.Replica)] };
        await using var watcher = new TopologyWatcher(Upstream, finder, TimeProvider.System, new RecordingLogger());
        var changed = watcher.Changed;
        Assert.Null(watcher.Current.Master);
        watcher.Start();
        await changed.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(("a", 1), (watcher.Current.Master!.Id, watcher.Current.Version));

        finder.Nodes = [Node("a", NodeRole.Master), Node("b", NodeRole.Replica)];
        var before = finder.Looks;
        watcher.Hint("test");
        await Eventually.TrueAsync("another look", () => finder.Looks > before + 1);
        Assert.Equal(1, watcher.Current.Version);

        changed = watcher.Changed;
        var asBefore = DateTimeOffset.UtcNow; // the last look told the old state, or the next one does
        finder.Nodes = [Node("b", NodeRole.Master), Node("a", NodeRole.Replica)];
        watcher.Hint("test");
        await changed.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(("b", 2), (watcher.Current.Master!.Id, watcher.Current.Version));
        Assert.InRange(asBefore - watcher.Current.ChangedAfter.Wall, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(30)); // the Sentinels may say it late
    }

    [Fact]
    public async Task What_was_known_stays_in_force_while_nobody_can_be_asked()
    {
        var finder = new Finder { Nodes = [Node("a", NodeRole.Master)] };
        await using var watcher = new TopologyWatcher(Upstream, finder, TimeProvider.System, new RecordingLogger());
        watcher.Start();
        await Eventually.TrueAsync("the first look", () => watcher.Current.Version == 1);
        finder.Fault = "nobody is there";
        watcher.Hint("test");
        await Eventually.TrueAsync("the fault", () => watcher.LastFault == "nobody is there");
        Assert.Equal("a", watcher.Current.Master!.Id);
        finder.Fault = null;
        await Eventually.TrueAsync("its end", () => watcher.LastFault is null);
    }

    private static TopologyNode Node(string id, NodeRole role) => new() { Id = id, Address = RedisAddress.Parse($"redis://{id}"), Role = role };

    private sealed class Finder : INodeFinder
    {
        private int _looks;

        public volatile IReadOnlyList<TopologyNode> Nodes = [];

        public volatile string? Fault;

        public int Looks => Volatile.Read(ref _looks);

        public Task<IReadOnlyList<TopologyNode>> FindAsync()
        {
            Interlocked.Increment(ref _looks);
            return Fault is { } fault ? Task.FromException<IReadOnlyList<TopologyNode>>(new IOException(fault)) : Task.FromResult(Nodes);
        }

        public Task ListenAsync(Action<string> hint, CancellationToken stop) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
