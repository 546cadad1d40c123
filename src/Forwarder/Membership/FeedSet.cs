using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Membership;

/// <summary>Which nodes are listened to? One feed for each node of the topology. Replicas have one too, so that nothing is missed when one is promoted.</summary>
/// <remarks>
/// One loop keeps the feeds in step with the topology. A new node gets a feed, and a node that is gone loses its feed (<see cref="MemberTable"/>). A
/// node that was replaced as master is fenced, and its gap ends (<see cref="FeedSuccession"/>). A node's events are forwarded because the node itself
/// says that it is a master (ROLE). The topology can only take that right away, and only once the successor says that it is a master.
/// </remarks>
internal sealed class FeedSet : IGroupVoice, IAsyncDisposable
{
    private readonly ITopology _topology;
    private readonly ILogger _logger;
    private readonly bool _hasSuccessors;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SideTasks _tasks;
    private readonly FeedFactory _factory;
    private readonly MasterSelection _masters;
    private readonly MemberTable _table;
    private readonly FeedSuccession _succession;
    private readonly FeedStateChanges _changes = new();

    /// <summary>What the members were taken from. Used by the loop only, and before it by the constructor.</summary>
    private TopologySnapshot _snapshot;

    /// <summary>Used by the loop only.</summary>
    private bool _hasSaidShape;
    private Task _loop = Task.CompletedTask;

    /// <param name="group">The group that shares the streams.</param>
    /// <param name="clients">Holds requests of clients back while a node is not covered; null: requests are never held back.</param>
    /// <param name="shelf">Keeps the states of the nodes' streams for the next start; null if they are not kept.</param>
    /// <param name="instance">Names this program in its group. May be empty.</param>
    public FeedSet(
        ITopology topology, NodeFeedOptions options, IEventSink sink, GapLog gaps, TimeProvider time, ILogger logger, IRedisTransport transport, GroupMembership group, CoverageGateRegistry? clients = null,
        CheckpointRegistry? shelf = null, string instance = "")
    {
        (_topology, _logger, _snapshot) = (topology, logger, topology.Current);
        var isAlone = topology.Current.Shape == UpstreamShape.Standalone;
        _hasSuccessors = !isAlone;
        options = options with
        {
            HasSuccessors = _hasSuccessors,
            RoleInterval = isAlone ? options.RoleInterval : options.MarkerInterval,
        };
        clients ??= new CoverageGateRegistry(TimeSpan.Zero, time, logger);
        _tasks = new SideTasks(time, OnTaskDied);
        _factory = new FeedFactory(topology, options, sink, gaps, time, logger, transport, clients, shelf, instance, group);
        _masters = new MasterSelection(topology);
        _table = new MemberTable(NewFeed, Start, clients);
        _succession = new FeedSuccession(topology, _table, _masters, time, logger, _stop.Token);
        var hasOneKey = topology.Current.Shape == UpstreamShape.Sentinel;
        if (hasOneKey) shelf?.AreNodesInDoubt = () => _table.Current.Any(static member => member.Feed.IsInDoubt);
        TakeNodes();
    }

    /// <summary>Every node with its feed, in the order of the topology.</summary>
    public IReadOnlyList<FeedMember> Members => _table.Current;

    /// <summary>The members that clients write to; empty while none is known.</summary>
    public IEnumerable<FeedMember> Masters => _table.Current.Where(member => _masters.IsServing(member.Node));

    /// <summary>See <see cref="MasterSelection.MasterAmong"/>.</summary>
    public RedisAddress? Master => _masters.MasterAmong(_table.Current);

    /// <summary>The id of the node whose positions carry this run id; null if it is not known.</summary>
    public string? NodeOf(ulong run) => _table.Current.FirstOrDefault(member => member.Feed.Status.Position.RunId == run)?.Node.Id;

    /// <summary>The id of the node with this address; null if there is none.</summary>
    public string? IdOf(RedisAddress address) => _table.Current.FirstOrDefault(member => member.Node.Address == address)?.Node.Id;

    /// <summary>The run id of a node, as its positions carry it; null if there is no such node.</summary>
    public ulong? RunOf(string nodeId) => _table.Current.FirstOrDefault(member => member.Node.Id == nodeId)?.Feed.Status.Position.RunId;

    /// <summary>Whether another member is known to hold a node's stream.</summary>
    public bool IsHeldByAnother(string nodeId) =>
        _table.Current.FirstOrDefault(member => member.Node.Id == nodeId) is { Feed.GroupStatus: { IsKnown: true, IsHolder: false, Holder: not null } };

    /// <summary>
    /// Whether this program declares a node's gaps to consumers: it holds the stream of the node, or of the master that has replaced it, or the node is gone. Null: it is not known who
    /// holds that.
    /// </summary>
    public bool? MayDeclare(string node)
    {
        var members = Members;
        var own = members.FirstOrDefault(member => member.Feed.Status.Node == node);
        var master = own is null || _masters.IsServing(own.Node) ? own : members.FirstOrDefault(member => _masters.IsServing(member.Node) && _table.IsBehind(own, member)) ?? own;
        return master?.Feed.GroupStatus switch
        {
            { IsKnown: false } => null,
            { IsHolder: false } => false,
            _ => true,
        };
    }

    /// <summary>Faults if a feed, or this loop, ends because of a bug.</summary>
    public Task Completion => _completion.Task;

    public IReadOnlyList<StreamGroupStatus> Streams =>
        [.. Members.Where(static member => member.Feed.Status.State == FeedState.Subscribed).Select(static member => member.Feed.GroupStatus).Where(static status => status is { IsKnown: true, IsServing: true })];

    /// <summary>Whether the one node that the user named is known to be part of a cluster.</summary>
    public bool IsInCluster => !_hasSuccessors && _table.Current is [{ Feed.Status.IsCluster: true }];

    public bool IsHeldBack => Members.Count > 0 && Members.All(static member => member.Feed.Status.State == FeedState.HeldBack);

    public IReadOnlyList<MessageId> Say(Func<string, long, GroupMessage> message) => [.. Members.Select(member => member.Feed.Say(message)).OfType<MessageId>()];

    public IReadOnlyList<MessageId> SayToMasters(Func<string, long, GroupMessage> message) =>
        [.. Members.Where(static member => member.Feed.GroupStatus is { IsServing: true }).Select(member => member.Feed.Say(message)).OfType<MessageId>()];

    public void Start()
    {
        _table.Start();
        _loop = Task.Run(RunAsync);
    }

    public void Want(EventClass classes) => _table.Want(classes);

    /// <summary>Waits until the feeds of all masters, and all others that are connected, have subscribed to what is wanted.</summary>
    public async Task WaitSubscribedAsync(CancellationToken cancellationToken)
    {
        while (!Masters.Any()) await _topology.Changed.WaitAsync(cancellationToken).ConfigureAwait(false);

        var due = Members.Where(member => _masters.IsServing(member.Node) || member.Feed.Status.State is FeedState.Subscribed or FeedState.HeldBack);
        await Task.WhenAll(due.Select(member => member.Feed.WaitSubscribedAsync(cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>For the end of the program: reads what the nodes have sent for all commands that they have answered.</summary>
    public async Task CatchUpAsync(TimeSpan deadline)
    {
        var members = Members;
        foreach (var member in members) member.Feed.Ending.DeclareUnproven(); // the first feed that has caught up may hand over
        await Task.WhenAll(members.Select(member => member.Feed.CatchUpAsync(deadline, isLast: true))).ConfigureAwait(false);
        await Task.WhenAll(members.Select(member => member.Feed.Ending.ConcludeAsync())).ConfigureAwait(false);
    }

    /// <summary>Stores how far <see cref="CatchUpAsync"/> has read, once all of it is delivered, stored or dropped.</summary>
    public Task KeepStatesAsync(TimeSpan deadline) => Task.WhenAll(Members.Select(member => member.Feed.Ending.KeepStateAsync(deadline)));

    /// <summary>Lets other members deliver from now on.</summary>
    public Task ResignAsync(TimeSpan deadline) => Task.WhenAll(Members.Select(member => member.Feed.Ending.ResignAsync(deadline)));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(Members.Select(member => member.Feed.DisposeAsync().AsTask())).ConfigureAwait(false);
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
                TakeNodes();
                var feeds = Members.Select(member => member.Feed.Changed).ToList(); // after TakeNodes, so that new nodes are among them
                TakeStates();
                await Task.WhenAny([changed, .. feeds]).WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The feeds were disposed.
        }
        catch (Exception e)
        {
            TopologyLog.LoopDied(_logger, e);
            _completion.TrySetException(e);
        }
    }

    private void TakeNodes()
    {
        _snapshot = _topology.Current;
        foreach (var member in _table.Update(_snapshot, _factory.SlotsOf))
        {
            _tasks.Run($"ending the feed of {member.Node.Address}", Timeout.InfiniteTimeSpan, end => EndAsync(member.Feed, end)); // no deadline for the task, since each of its steps has one
        }
    }

    private NodeFeed NewFeed(TopologyNode node) => _factory.Make(node, _succession, cameLater: _table.Current.Count > 0);

    private void Start(NodeFeed feed)
    {
        feed.Start();
        _tasks.Run("watching a feed", Timeout.InfiniteTimeSpan, _ => feed.Completion); // it ends with the feed
    }

    /// <summary>Ends the feed of a node that is gone, after the feed has read the node's last events and decided about them.</summary>
    private static async Task EndAsync(NodeFeed feed, CancellationToken end)
    {
        await feed.CatchUpAsync(FeedSuccession.CatchUpDeadline).ConfigureAwait(false);
        await feed.Ending.SettledAsync(FeedSuccession.SuccessorDeadline + FeedSuccession.CatchUpDeadline, end).ConfigureAwait(false);
        feed.Want(EventClass.None); // so that no gap is declared for a node that no longer exists
        await feed.DisposeAsync().ConfigureAwait(false);
    }

    private void OnTaskDied(string name, Exception fault)
    {
        TopologyLog.TaskDied(_logger, fault, name);
        _completion.TrySetException(fault);
    }

    /// <summary>Lets successors replace their predecessors. If a feed has lost its node, asks topology and nodes at once what has changed.</summary>
    private void TakeStates()
    {
        WarnOfShape(_topology.Current);
        if (_topology.AreSlotsAwaited) _topology.Hint("the node is part of a cluster");
        if (!_hasSuccessors) return;

        var members = Members;
        _masters.Observe(members, _snapshot.ChangedAfter);
        _succession.FenceStaleMasters(members);
        _succession.LeaveEstates();
        if (!_changes.Any(members)) return;

        _topology.Hint("a feed has changed its state");
        foreach (var member in members) member.Feed.Look();
    }

    /// <summary>Warns once when the one node that the user named is part of a cluster, or is a replica.</summary>
    private void WarnOfShape(TopologySnapshot snapshot)
    {
        if (snapshot.Shape != UpstreamShape.Standalone || _hasSaidShape || Members is not [var only] || only.Feed.Status is not { State: FeedState.Subscribed or FeedState.HeldBack } status)
        {
            return;
        }

        _hasSaidShape = true;
        if (status.IsCluster) TopologyLog.IsCluster(_logger, status.Node);
        if (status.Role == NodeRole.Replica) TopologyLog.IsReplica(_logger, status.Node);
    }
}
