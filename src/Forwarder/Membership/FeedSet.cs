using System.Collections.Concurrent;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Membership;

/// <summary>Which nodes are listened to? One feed for each node of the topology, replicas too, so that nothing is missed when one is promoted.</summary>
/// <remarks>
/// One loop brings feeds and topology together: new nodes get a feed, those that are gone lose it, a node whose place another one has taken is fenced and its
/// gap ended. A node is forwarded from by its own word (ROLE); the topology's word alone only takes that right away, and only once its successor has said that it is a master.
/// </remarks>
internal sealed class FeedSet : IAsyncDisposable
{
    private static readonly TimeSpan CatchUpDeadline = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan SuccessorDeadline = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan OthersDeadline = TimeSpan.FromSeconds(5);

    private readonly ITopology _topology;
    private readonly NodeFeedOptions _options;
    private readonly IEventSink _sink;
    private readonly GapLog _gaps;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IRedisTransport _transport;
    private readonly CheckpointRegistry? _shelf;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, string> _masterOf = [];
    private readonly Dictionary<string, (FeedState State, long Reconnects)> _seen = [];
    private readonly ConcurrentDictionary<string, bool> _saidReplica = new();
    private readonly Lock _gate = new();
    private readonly SideTasks _tasks;
    private volatile IReadOnlyList<Member> _members = [];
    private readonly CoverageGateRegistry _clients;
    private EventClass _wanted;
    private bool _isStarted;
    private bool _hasSaidShape;
    private Task _loop = Task.CompletedTask;

    /// <summary>One node and its feed.</summary>
    internal sealed record Member(TopologyNode Node, NodeFeed Feed);

    /// <param name="options">As for a single node; its address is that of no node here.</param>
    /// <param name="clients">Hold requests of clients back while a node is not covered; null: nobody's.</param>
    /// <param name="shelf">Where the states of the nodes' streams are kept; null: nowhere.</param>
    public FeedSet(
        ITopology topology, NodeFeedOptions options, IEventSink sink, GapLog gaps, TimeProvider time, ILogger logger, IRedisTransport transport, CoverageGateRegistry? clients = null, CheckpointRegistry? shelf = null)
    {
        _clients = clients ?? new CoverageGateRegistry(TimeSpan.Zero, time, logger);
        (_topology, _sink, _gaps, _time, _logger, _transport, _shelf) = (topology, sink, gaps, time, logger, transport, shelf);
        _tasks = new SideTasks(time, OnTaskDied);
        bool isAlone = topology.Current.Shape == UpstreamShape.Standalone;
        _options = options with
        {
            HasSuccessors = !isAlone,
            RoleInterval = isAlone ? options.RoleInterval : options.MarkerInterval,
        };
        TakeNodes(topology.Current);
    }

    /// <summary>Every node with its feed, in the topology's order.</summary>
    public IReadOnlyList<Member> Members => _members;

    /// <summary>Those that clients write to; empty while none is known.</summary>
    public IEnumerable<Member> Masters => _members.Where(member => IsServing(member.Node));

    /// <summary>Of a shape with one master: the node that was promoted under our eyes, which is there before Sentinel's word; else whom Sentinel names too; null: none says so.</summary>
    /// <remarks>
    /// A master that was frozen says "master" anew when it is back, and is the last one to say so: that makes it none. A promoted one counts from its word on,
    /// while what it sent before is still being sorted out: what is written to the old one from here on is thrown away.
    /// </remarks>
    public RedisAddress? Master => _members
        .Where(member => member.Feed.Status is { Role: NodeRole.Master, State: FeedState.Subscribed, MasterSince: not null }
            || (member.Feed.Status is { Role: NodeRole.Master, State: FeedState.HeldBack } && IsPromoted(member)))
        .OrderByDescending(member => IsPromoted(member) ? 2 : IsServing(member.Node) ? 1 : 0)
        .ThenByDescending(member => member.Feed.Status.MasterSince)
        .Select(member => member.Node.Address).FirstOrDefault();

    /// <summary>The id of the node with this run id, as its positions have it; null: not known.</summary>
    public string? NodeOf(ulong run) => _members.FirstOrDefault(member => member.Feed.Status.Position.RunId == run)?.Node.Id;

    /// <summary>Faults when a feed, or this loop, dies of a fault in the program.</summary>
    public Task Completion => _completion.Task;

    public void Start()
    {
        lock (_gate)
        {
            _isStarted = true;
            foreach (var member in _members)
                Start(member.Feed);
        }

        _loop = Task.Run(RunAsync);
    }

    public void Want(EventClass classes)
    {
        lock (_gate)
        {
            _wanted = classes;
            _clients.IsWanted = classes != EventClass.None;
            foreach (var member in _members)
                member.Feed.Want(classes);
        }
    }

    /// <summary>Waits until the feeds of all masters, and of whatever else is connected, are in step with what is wanted.</summary>
    public async Task WaitSubscribedAsync(CancellationToken cancellationToken)
    {
        while (!Masters.Any())
            await _topology.Changed.WaitAsync(cancellationToken).ConfigureAwait(false);

        var due = _members.Where(member => IsServing(member.Node) || member.Feed.Status.State is FeedState.Subscribed or FeedState.HeldBack);
        await Task.WhenAll(due.Select(member => member.Feed.WaitSubscribedAsync(cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>The program ends: reads what the nodes have sent for all that they have acknowledged.</summary>
    public async Task CatchUpAsync(TimeSpan deadline)
    {
        var members = _members;
        await Task.WhenAll(members.Select(member => member.Feed.CatchUpAsync(deadline, isLast: true))).ConfigureAwait(false);
        await Task.WhenAll(members.Select(member => member.Feed.ConcludeAsync())).ConfigureAwait(false);
    }

    /// <summary>Keeps how far that was, when all of it is settled.</summary>
    public Task KeepStatesAsync(TimeSpan deadline) => Task.WhenAll(_members.Select(member => member.Feed.KeepStateAsync(deadline)));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_members.Select(member => member.Feed.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _tasks.EndAsync().ConfigureAwait(false);
        _completion.TrySetResult();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var changed = _topology.Changed;
                TakeNodes(_topology.Current);
                var feeds = _members.Select(member => member.Feed.Changed).ToList(); // those of the nodes that are new, too
                TakeStates();
                await Task.WhenAny([changed, .. feeds]).WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
        catch (Exception e)
        {
            TopologyLog.LoopDied(_logger, e);
            _completion.TrySetException(e);
        }
    }

    /// <summary>A feed for each node, and none for a node that is gone.</summary>
    private void TakeNodes(TopologySnapshot snapshot)
    {
        List<Member> gone;
        lock (_gate)
        {
            if (snapshot.Shape != UpstreamShape.Standalone)
            {
                foreach (var node in snapshot.Nodes.Where(node => node is { Role: NodeRole.Replica, MasterId: not null }))
                    _masterOf[node.Id] = node.MasterId!;
            }

            var old = _members.ToDictionary(member => member.Node.Id);
            // A node that has moved is another one for its feed: a connection is to an address.
            IReadOnlyList<Member> members = [.. snapshot.Nodes.Select(node => old.TryGetValue(node.Id, out var known) && known.Node.Address == node.Address ? known with { Node = node } : new Member(node, NewFeed(node)))];
            gone = [.. old.Values.Where(member => members.All(one => one.Feed != member.Feed))];
            foreach (var member in members)
            {
                if (!old.TryGetValue(member.Node.Id, out var before) || before.Feed != member.Feed || !before.Node.Slots.SequenceEqual(member.Node.Slots) || before.Node.Role != member.Node.Role)
                    member.Feed.Serves(SlotsOf(member.Node));
                _clients.Of(member.Node.Address).IsOfReplica = member.Node.Role == NodeRole.Replica;
            }

            if (snapshot.Nodes.Any(node => node.Role == NodeRole.Replica))
            {
                foreach (var member in members)
                    member.Feed.RememberForSuccessors();
            }

            _members = members; // each of them knows its part by now
        }

        foreach (var member in gone)
            _tasks.Run($"ending the feed of {member.Node.Address}", Timeout.InfiniteTimeSpan, end => EndAsync(member.Feed, end)); // each step has its own end
    }

    private NodeFeed NewFeed(TopologyNode node)
    {
        var options = _options with { Address = node.Address };
        var clients = _clients.Of(node.Address);
        var feed = _options.HasSuccessors
            ? new NodeFeed(options, _sink, _gaps, _time, _logger, _transport, clients)
            {
                Predecessor = () => SentLastByMasterOfAsync(node.Id),
                Successor = () => SentBySuccessorOfAsync(node.Id),
                MarkerTag = () => MarkerTagOf(node.Id),
                OthersFirst = () => OthersFirstAsync(node.Id),
                Shelf = _shelf,
                CameLater = _members.Count > 0,
            }
            : new NodeFeed(options, _sink, _gaps, _time, _logger, _transport, clients) { MarkerTag = new SlotSearch().Next, Shelf = _shelf };
        feed.Want(_wanted);
        if (_isStarted)
            Start(feed);
        return feed;
    }

    /// <summary>Null outside of a cluster, and for who is promoted before those who watch it know: its slots are not known yet.</summary>
    private bool[]? SlotsOf(TopologyNode node)
    {
        if (_topology.Current.Shape != UpstreamShape.Cluster || node.Role != NodeRole.Master)
            return null;

        bool[] slots = new bool[SlotTag.Slots];
        foreach (var range in node.Slots)
            Array.Fill(slots, true, range.First, range.Count);
        return slots;
    }

    /// <summary>For a node to which slots have come, or come (a key that has moved is served before its slot is): what the others sent is read, and passed on, before what it sends. A round trip.</summary>
    private Task OthersFirstAsync(string nodeId) =>
        Task.WhenAll(_members.Where(member => member.Node.Id != nodeId && IsServing(member.Node)).Select(member => member.Feed.CatchUpAsync(OthersDeadline)));

    /// <summary>Of a slot of the node's shard: the last, as slots are moved away from the first on. Null: it has none.</summary>
    private string? MarkerTagOf(string nodeId)
    {
        var nodes = _topology.Current.Nodes;
        var node = nodes.FirstOrDefault(node => node.Id == nodeId);
        var master = node is { Role: NodeRole.Replica } ? nodes.FirstOrDefault(one => one.Id == node.MasterId) : node;
        return master is { Slots: [.., var last] } ? SlotTag.Of(last.Last) : null;
    }

    private void Start(NodeFeed feed)
    {
        feed.Start();
        _tasks.Run("watching a feed", Timeout.InfiniteTimeSpan, _ => feed.Completion); // it ends with the feed
    }

    /// <summary>What it sent before it went is read and judged first.</summary>
    private static async Task EndAsync(NodeFeed feed, CancellationToken end)
    {
        await feed.CatchUpAsync(CatchUpDeadline).ConfigureAwait(false);
        await feed.SettledAsync(SuccessorDeadline + CatchUpDeadline, end).ConfigureAwait(false);
        feed.Want(EventClass.None); // nobody misses what a node says that is no longer there
        await feed.DisposeAsync().ConfigureAwait(false);
    }

    private void OnTaskDied(string name, Exception fault)
    {
        TopologyLog.TaskDied(_logger, fault, name);
        _completion.TrySetException(fault);
    }

    /// <summary>For a node that has been promoted: all that its old master's feed has received, once it has read what there is to read.</summary>
    private async Task<IReadOnlyList<RecordedNotification>?> SentLastByMasterOfAsync(string nodeId)
    {
        NodeFeed? old;
        lock (_gate)
            old = _masterOf.TryGetValue(nodeId, out string? masterId) ? _members.FirstOrDefault(member => member.Node.Id == masterId)?.Feed : null;
        if (old is null)
            return null;

        await old.CatchUpAsync(CatchUpDeadline).ConfigureAwait(false);
        return old.SentLast;
    }

    /// <summary>For a node that has been demoted: what its new master has sent so far. Waits a while until it is known and forwarded from.</summary>
    private async Task<IReadOnlyList<RecordedNotification>?> SentBySuccessorOfAsync(string nodeId)
    {
        var begun = _time.GetTimestamp();
        while (!_stop.IsCancellationRequested && _time.GetElapsedTime(begun) < SuccessorDeadline)
        {
            var changed = _topology.Changed;
            var members = _members;
            string? masterId = members.FirstOrDefault(member => member.Node.Id == nodeId)?.Node is { Role: NodeRole.Replica } node ? node.MasterId : null;
            if (members.FirstOrDefault(member => member.Node.Id == masterId)?.Feed is { Status: { State: FeedState.Subscribed, Role: NodeRole.Master } } successor)
            {
                await successor.CatchUpAsync(CatchUpDeadline).ConfigureAwait(false);
                return successor.SentLast;
            }

            _topology.Hint("a master was demoted");
            await Task.WhenAny(changed, Task.Delay(TimeSpan.FromMilliseconds(50), _time, _stop.Token)).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>Lets successors take the places of those before them, and asks everybody at once when something has changed.</summary>
    private void TakeStates()
    {
        var snapshot = _topology.Current;
        SayWhatItReallyIs(snapshot);
        if (!_options.HasSuccessors)
            return;

        var members = _members;
        foreach (var member in members)
        {
            if (IsServing(member.Node))
                _saidReplica.TryRemove(member.Node.Id, out _);
            else if (member.Feed.Status.Role == NodeRole.Replica)
                _saidReplica[member.Node.Id] = true;
        }

        foreach (var master in members.Where(member => IsServing(member.Node)))
        {
            master.Feed.Fence(false);
            if (master.Feed.Status is not { Role: NodeRole.Master, State: FeedState.Subscribed })
                continue;

            foreach (var other in members.Where(member => member != master && !IsServing(member.Node) && !IsPromoted(member) && IsBehind(member, master)))
            {
                if (other.Feed.Status.Role == NodeRole.Master && other.Feed.Fence(true))
                {
                    other.Feed.SucceededBy(master.Feed);
                    TopologyLog.Succeeded(_logger, master.Node.Address.ToString(), other.Node.Address.ToString());
                }
            }
        }

        if (HasNews(members))
        {
            _topology.Hint("a feed has changed its state");
            foreach (var member in members)
                member.Feed.Look();
        }
    }

    /// <summary>It was a replica by its own word, and is a master now: those who watch it have not said so yet, which makes it no stale one.</summary>
    private bool IsPromoted(Member member) =>
        !IsServing(member.Node) && member.Feed.Status.Role == NodeRole.Master && _saidReplica.ContainsKey(member.Node.Id);

    /// <summary>One that is, or that was, of the same master's replication.</summary>
    private bool IsBehind(Member other, Member master)
    {
        lock (_gate)
            return other.Node.MasterId == master.Node.Id || (_masterOf.TryGetValue(master.Node.Id, out string? old) && old == other.Node.Id);
    }

    /// <summary>A failing master without slots has been replaced.</summary>
    private bool IsServing(TopologyNode node) =>
        node.Role != NodeRole.Replica && (_topology.Current.Shape != UpstreamShape.Cluster || node.Slots.Count > 0 || !node.IsFailing);

    private bool HasNews(IReadOnlyList<Member> members)
    {
        bool hasNews = false;
        foreach (var member in members)
        {
            var now = (member.Feed.Status.State, member.Feed.Status.Reconnects);
            // A connection that is lost and made again at once may never be seen to be down.
            hasNews |= _seen.TryGetValue(member.Node.Id, out var before)
                && (before.Reconnects != now.Reconnects || (before.State is FeedState.Subscribed or FeedState.HeldBack && before.State != now.State));
            _seen[member.Node.Id] = now;
        }

        return hasNews;
    }

    /// <summary>Somebody named one node, and it is part of something larger.</summary>
    private void SayWhatItReallyIs(TopologySnapshot snapshot)
    {
        if (snapshot.Shape != UpstreamShape.Standalone || _hasSaidShape || _members is not [var only] || only.Feed.Status is not { State: FeedState.Subscribed or FeedState.HeldBack } status)
            return;

        _hasSaidShape = true;
        if (status.IsCluster)
            TopologyLog.IsCluster(_logger, status.Node);
        if (status.Role == NodeRole.Replica)
            TopologyLog.IsReplica(_logger, status.Node);
    }
}
