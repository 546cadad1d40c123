using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which keyspace events does one node have? Stays subscribed to them for as long as it runs, over one connection after another.</summary>
/// <remarks>
/// Why a client library's subscription would not do: an event's position in the node's stream must be known, so markers, role and flags are asked for
/// in the same stream. A lost connection must become a declared gap. And nothing may be allocated for an event. Libraries offer none of these.
/// StackExchange.Redis also does not subscribe to keyspace events again after a lost connection.
/// </remarks>
public sealed class NodeFeed : IAsyncDisposable
{
    private readonly FeedContext _feed;
    private readonly FeedSupervisor _life;
    private readonly FeedFence _fence;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The wanted classes, an <see cref="EventClass"/>. Written by <see cref="Want"/>; read from any thread.</summary>
    private volatile uint _wanted;
    private Task _loop = Task.CompletedTask;
    private int _isStarted;

    /// <param name="sink">Receives each notification of a master, on the feed's read loop.</param>
    /// <param name="gaps">Shared by all feeds.</param>
    /// <param name="group">The group that shares the node's stream.</param>
    /// <param name="order">Who is to say something first; null: by name.</param>
    /// <param name="transport">Opens connections; null for sockets.</param>
    /// <param name="clients">Holds requests of clients back while the node is not covered; null if no requests are held back.</param>
    /// <param name="instance">Names this program in its group, in front of a random part. May be empty.</param>
    /// <param name="nonce">That random part; null: one that no other feed has.</param>
    internal NodeFeed(
        RedisAddress address, NodeFeedOptions options, IEventSink sink, GapLog gaps, TimeProvider time, ILogger logger, GroupMembership group, MemberOrder? order = null, IRedisTransport? transport = null,
        CoverageGate? clients = null, string instance = "", string? nonce = null)
    {
        transport ??= new SocketRedisTransport(time);
        var (node, hold, markers) = (address.ToString(), new ReplicaBuffer(options), new MarkerSequence(time, instance, nonce, options.Random));
        _feed = new FeedContext(
            address,
            options,
            sink,
            time,
            logger,
            markers,
            new FeedProgress(),
            new FeedCoverage(node, gaps, time, logger, options.HasSuccessors, clients),
            new FlagsLastSeen(),
            new FeedRemedies(node, logger),
            new ObservableStatus(new NodeFeedStatus { Node = node }),
            hold)
        {
            Group = new StreamGroup(group, group.NewDuties(), markers.Instance, options, sink, time, () => !hold.IsHeld, order),
            Tasks = new SideTasks(time, OnTaskDied),
            TlsFileNames = transport.TlsFileNames,
        };
        _life = new FeedSupervisor(_feed, transport, () => _feed.Group.HasSeat ? (EventClass)_wanted : EventClass.None, _stop.Token);
        _fence = new FeedFence(_feed, _life);
        clients?.Hurry = Hurry;
    }

    /// <summary>Completes when the feed is disposed. Faults if its loop ends because of a bug; the program should then end.</summary>
    public Task Completion => _completion.Task;

    public NodeFeedStatus Status
    {
        get
        {
            var progress = _feed.Progress.Published;
            return _feed.Board.Status with
            {
                RemedyText = _feed.Remedies.Text,
                MarkersSent = _life.MarkersSent,
                MarkersSeen = progress.MarkersSeen,
                Received = progress.Received,
                HeldBack = progress.HeldBack,
                Oversized = progress.Oversized,
                Refused = progress.Refused,
                Position = progress.Position,
            };
        }
    }

    /// <summary>How the group stands before this node.</summary>
    internal StreamGroupStatus GroupStatus => _feed.Group.Status;

    /// <summary>The name of this program in the group.</summary>
    internal string MemberName => _feed.Markers.Instance;

    /// <summary>For tests in virtual time, which cannot notice otherwise that a beat passed in which nothing was asked.</summary>
    internal (long Beats, int Waiting) Pulse => _life.Current?.Pulse ?? default;

    /// <summary>Completes at the next change of the rarely changing part of <see cref="Status"/>, such as state and role.</summary>
    internal Task Changed => _feed.Board.Changed;

    /// <summary>See <see cref="FeedContext.Mastership"/>.</summary>
    internal Mastership? Mastership => _feed.Mastership;

    /// <summary>See <see cref="FeedContext.HeardBefore"/>. Set before <see cref="Start"/>.</summary>
    internal Func<(ClockReading At, EventPosition Last)?>? HeardBefore
    {
        init => _feed.HeardBefore = value;
    }

    /// <summary>Called when the node is promoted, see <see cref="FeedContext.Predecessor"/>. Set before <see cref="Start"/>.</summary>
    internal Func<Task<IReadOnlyList<RecordedNotification>?>>? Predecessor
    {
        init => _feed.Predecessor = value;
    }

    /// <summary>Called when the node has been demoted, see <see cref="FeedContext.Successor"/>. Set before <see cref="Start"/>.</summary>
    internal Func<Task<IReadOnlyList<RecordedNotification>?>>? Successor
    {
        init => _feed.Successor = value;
    }

    /// <summary>
    /// Called when events of slots come that the node is not known to serve, see <see cref="SlotsServed.OthersFirst"/>. Set before <see cref="Start"/>.
    /// </summary>
    internal Func<Task>? OthersFirst
    {
        init => _feed.Slots.OthersFirst = value;
    }

    /// <summary>Sets the slots that the node serves, by slot number; null if it is not a master of a cluster.</summary>
    internal void Serves(bool[]? slots) => _feed.Slots.Change(slots);

    /// <summary>Called to find the key of the state in a cluster, see <see cref="FeedContext.StateTag"/>. Set before <see cref="Start"/>.</summary>
    internal Func<string?>? StateTag
    {
        init => _feed.StateTag = value;
    }

    /// <summary>See <see cref="FeedContext.AreSlotsAwaited"/>. Set before <see cref="Start"/>.</summary>
    internal Func<bool> AreSlotsAwaited
    {
        init => _feed.AreSlotsAwaited = value;
    }

    /// <summary>See the properties of <see cref="FeedContext"/> that it sets. Set before <see cref="Start"/>.</summary>
    internal (Func<IReadOnlyList<Estate>> OfPredecessor, Func<IReadOnlyList<RecordedNotification>> DoubtfulOfPredecessor, Action Leave) Estates
    {
        init => (_feed.PredecessorsEstate, _feed.PredecessorsDoubtful, _feed.LeaveEstate) = value;
    }

    /// <summary>What the node leaves to its successor. Empty while it is a master, or if there is nothing.</summary>
    internal IReadOnlyList<Estate> TakeEstate()
    {
        lock (_feed.Turn)
        {
            var hasGone = _feed.Hold.IsHeld || _feed.Board.Status.State is FeedState.Down or FeedState.Connecting or FeedState.Stopped;
            return hasGone ? _feed.Group.Member.Delivery.TakeEstate() : [];
        }
    }

    /// <summary>Takes what another node has left, which this one has replaced.</summary>
    internal void Inherit(IReadOnlyList<Estate> estates)
    {
        lock (_feed.Turn)
        {
            if (_life.Current is { } connection)
            {
                connection.Serve(estates);
                return;
            }

            foreach (var estate in estates) _feed.Group.Member.Inherit(estate, default);
        }
    }

    /// <summary>Keeps the state of the stream for the next run of the program, see <see cref="CheckpointKeeper"/>. Set before <see cref="Start"/>.</summary>
    internal CheckpointRegistry? Shelf
    {
        init => _feed.Shelf = value;
    }

    /// <summary>See <see cref="FeedContext.CameLater"/>. Set before <see cref="Start"/>.</summary>
    internal bool CameLater
    {
        init => _feed.CameLater = value;
    }

    /// <summary>From now on remembers what the node sends, for nodes that may succeed it.</summary>
    internal void RememberForSuccessors() => _feed.Echo ??= new NotificationRing(_feed.Options.EchoBytes);

    /// <summary>What the node sent last as a master; empty if nothing was remembered.</summary>
    internal IReadOnlyList<RecordedNotification> SentLast => _feed.Echo?.Read() ?? [];

    /// <summary>What the node sent last as a master, while it is judged whose events these are, with the positions that all members know.</summary>
    internal IReadOnlyList<RecordedNotification> Doubtful
    {
        get
        {
            lock (_feed.Turn) return _feed.Hold.DoubtfulAs(_feed.Group.Member.NameOf);
        }
    }

    /// <summary>See <see cref="FeedFence.Set"/>.</summary>
    internal bool Fence(bool isFenced) => _fence.Set(isFenced);

    /// <summary>Ends its open gap, if there is one, where its successor's stream begins.</summary>
    internal void SucceededBy(NodeFeed successor) => _fence.SucceededBy(successor.Status.Position, successor._fence.HeardFrom);

    /// <summary>See <see cref="FeedCoverage.IsGapOpen"/>.</summary>
    internal bool IsGapOpen => _feed.Coverage.IsGapOpen;

    /// <summary>See <see cref="FeedCoverage.IsInDoubt"/>.</summary>
    internal bool IsInDoubt => _feed.Coverage.IsInDoubt;

    /// <summary>See <see cref="FeedCoverage.Named"/>.</summary>
    /// <param name="isFirst">It was named before this program ran. What was not heard of it is missed only if an earlier run has listened.</param>
    internal void Named(bool isMaster, ClockReading since, bool isFirst = false) =>
        _feed.Coverage.Named(isMaster, _feed.Progress.Published.Position, isFirst ? () => _feed.Shelf?.Newest is not null : null, since);

    /// <summary>Notes that the node was replaced as the master and took the place again, after this moment, and nobody here has noticed.</summary>
    internal void ReplacedUnseen(ClockReading after) => _fence.ReplacedUnseen(after);

    /// <summary>Asks for the role now. If the feed waits before it connects, connects now.</summary>
    internal void Look()
    {
        _life.Current?.AskRole();
        ConnectNow();
    }

    /// <summary>Called for each session that waits for the events of this node.</summary>
    private void Hurry()
    {
        _life.Current?.AskRoleOnce();
        ConnectNow();
    }

    private void ConnectNow()
    {
        if (_feed.Board.Status.State == FeedState.Down) _life.Hurry();
    }

    /// <summary>Says something to the group. Any thread.</summary>
    /// <returns>The id of what was said; null: there is no connection at the moment.</returns>
    internal MessageId? Say(Func<string, long, GroupMessage> message) => _life.Current?.Say(message);

    public void Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0) _loop = Task.Run(RunAsync);
    }

    /// <summary>
    /// Sets which classes to subscribe to, and to check the flags for. None: stay connected but subscribe to nothing, which is no gap. The change
    /// takes effect between two events; no event is lost or delivered twice. Events of other classes may come as well: the sink decides.
    /// </summary>
    public void Want(EventClass classes)
    {
        _wanted = (uint)classes;
        _feed.Coverage.Want(classes != EventClass.None, _feed.Progress.Published.Position);
        _feed.Board.Change(status => status with { IsInStep = false });
        _life.Current?.Check();
    }

    /// <summary>Waits until the feed is connected, and subscribed to what is wanted. Also for a replica.</summary>
    public async Task WaitSubscribedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _feed.Board.Changed;
            if (_feed.Board.Status is { IsInStep: true, State: FeedState.Subscribed or FeedState.HeldBack }) return;

            await Task.WhenAny(changed, Completion).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (Completion.IsCompleted) await Completion.ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(Completion.IsCompleted, this);
        }
    }

    /// <summary>
    /// Reads until all events have been passed on that the node sent for commands it has handled so far. The answer to a command that is given now
    /// comes behind them. Returns when that is done, if there is no subscription or the node is silent, or after the deadline.
    /// </summary>
    /// <param name="isLast">True at the end of the program: what has been read by then is what <see cref="FeedEnding.KeepStateAsync"/> stores.</param>
    public async Task CatchUpAsync(TimeSpan deadline, bool isLast = false)
    {
        if (_life.Current is not { SubscribedAt: not null, Silence.IsOn: false } connection) return;

        try
        {
            await connection.CatchUpAsync(isLast).WaitAsync(deadline, _feed.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The node is silent. Clients that wrote there have no answer either, or the events are lost with the connection, as at any other end of it.
            FeedLog.NotCaughtUp(_feed.Logger, _feed.Node, deadline.TotalSeconds);
        }
    }

    /// <summary>What to do before the feed is disposed.</summary>
    internal FeedEnding Ending => new(_feed, _life);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await _feed.Tasks.EndAsync().ConfigureAwait(false);
        _completion.TrySetResult();
    }

    private async Task RunAsync()
    {
        try
        {
            await _life.RunAsync().ConfigureAwait(false);
            ShowStopped();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            ShowStopped();
        }
        catch (Exception e)
        {
            FeedLog.LoopDied(_feed.Logger, e, _feed.Node);
            Die(e);
        }
    }

    private void ShowStopped()
    {
        FeedLog.Stopped(_feed.Logger, _feed.Node);
        _feed.Board.Change(status => status with { State = FeedState.Stopped, IsInStep = false });
    }

    private void OnTaskDied(string name, Exception fault)
    {
        FeedLog.TaskDied(_feed.Logger, fault, _feed.Node, name);
        Die(fault);
        _stop.Cancel(); // ends the loop, which leaves the completion as it is set here
    }

    private void Die(Exception fault)
    {
        _feed.Board.Change(status => status with { State = FeedState.Stopped, IsInStep = false, LastError = $"a fault in the program: {fault.GetType().Name}" });
        _feed.Coverage.Lost(new RedisFault(RedisFaultKind.Closed, "the feed died of a fault in the program"), _feed.Progress.Published.Position);
        _completion.TrySetException(fault);
    }
}
