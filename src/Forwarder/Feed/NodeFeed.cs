using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which keyspace events does one node have? Subscribes to them for ever, over one connection after another.</summary>
/// <remarks>
/// What this is, and why not a client library's subscription: an event's place in the node's stream has to be known (markers, role and flags asked for in
/// the same stream), a lost connection has to become a declared gap, and nothing may be allocated for an event. Libraries offer none of these, and the
/// one at hand does not subscribe to keyspace events again after a lost connection.
/// </remarks>
public sealed class NodeFeed : IAsyncDisposable
{
    private readonly FeedContext _feed;
    private readonly FeedSupervisor _life;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile uint _wanted;
    private (ClockReading At, EventPosition Position) _fenced;
    private Task _loop = Task.CompletedTask;
    private int _isStarted;

    /// <param name="sink">Gets each notification of a master, on the feed's read loop.</param>
    /// <param name="gaps">Shared by all feeds.</param>
    /// <param name="transport">How to connect; null: sockets.</param>
    /// <param name="clients">Holds requests of clients back while the node is not covered; null: nobody's.</param>
    /// <param name="instance">Names this program in its markers, before what makes them its own; empty: not at all.</param>
    public NodeFeed(
        RedisAddress address, NodeFeedOptions options, IEventSink sink, GapLog gaps, TimeProvider time, ILogger logger, IRedisTransport? transport = null, CoverageGate? clients = null, string instance = "")
    {
        transport ??= new SocketRedisTransport(time);
        var node = address.ToString();
        _feed = new FeedContext(
            address,
            options,
            sink,
            time,
            logger,
            new MarkerSequence(time, instance),
            new FeedProgress(),
            new FeedCoverage(node, gaps, time, logger, options.HasSuccessors, clients),
            new FlagsLastSeen(),
            new FeedRemedies(node, logger),
            new ObservableStatus(new NodeFeedStatus { Node = node }),
            new ReplicaBuffer(options))
        {
            Tasks = new SideTasks(time, OnTaskDied),
            TlsFiles = transport.TlsFiles,
        };
        _life = new FeedSupervisor(_feed, transport, () => (EventClass)_wanted, _stop.Token);
        clients?.Hurry = Look;
    }

    /// <summary>Ends when the feed is disposed; faults when its loop dies of a fault in the program, which the host should not survive.</summary>
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

    /// <summary>For tests in virtual time: a beat that asks for nothing cannot be seen otherwise.</summary>
    internal (long Beats, int Waiting) Pulse => _life.Current?.Pulse ?? default;

    /// <summary>Completes at the next change of what <see cref="Status"/> shows rarely: state, role, remedy.</summary>
    internal Task Changed => _feed.Board.Changed;

    /// <summary>Asked when the node is promoted, see <see cref="FeedContext.Predecessor"/>. Set before <see cref="Start"/>.</summary>
    internal Func<Task<IReadOnlyList<RecordedNotification>?>>? Predecessor
    {
        init => _feed.Predecessor = value;
    }

    /// <summary>Asked when the node has been demoted, see <see cref="FeedContext.Successor"/>. Set before <see cref="Start"/>.</summary>
    internal Func<Task<IReadOnlyList<RecordedNotification>?>>? Successor
    {
        init => _feed.Successor = value;
    }

    /// <summary>Asked when events of slots come that it is not known to serve, see <see cref="SlotsServed.OthersFirst"/>. Set before <see cref="Start"/>.</summary>
    internal Func<Task>? OthersFirst
    {
        init => _feed.Slots.OthersFirst = value;
    }

    /// <summary>By slot; null: not a master of a cluster.</summary>
    internal void Serves(bool[]? slots) => _feed.Slots.Change(slots);

    /// <summary>Asked for the channel of the markers in a cluster, see <see cref="FeedContext.MarkerTag"/>. Set before <see cref="Start"/>.</summary>
    internal Func<string?>? MarkerTag
    {
        init => _feed.MarkerTag = value;
    }

    /// <summary>Keeps the state of the stream for the next life of the program, see <see cref="CheckpointKeeper"/>. Set before <see cref="Start"/>.</summary>
    internal CheckpointRegistry? Shelf
    {
        init => _feed.Shelf = value;
    }

    /// <summary>See <see cref="FeedContext.CameLater"/>. Set before <see cref="Start"/>.</summary>
    internal bool CameLater
    {
        init => _feed.CameLater = value;
    }

    /// <summary>Remembers what the node sends, from now on, for those that may take its place.</summary>
    internal void RememberForSuccessors() => _feed.Echo ??= new NotificationRing(_feed.Options.EchoBytes);

    /// <summary>What it sent last as a master; empty when nothing was remembered.</summary>
    internal IReadOnlyList<RecordedNotification> SentLast => _feed.Echo?.Read() ?? [];

    /// <summary>Another node has taken its place: whatever it says of itself, it is not passed on.</summary>
    /// <returns>False: it was so already.</returns>
    internal bool Fence(bool isFenced)
    {
        if (_feed.Hold.IsFenced == isFenced) return false;

        var position = _feed.Progress.Published.Position;
        _feed.Hold.Fence(isFenced);
        if (isFenced)
        {
            _fenced = (ClockReading.Now(_feed.Time), position);
        }
        else if (!_feed.Hold.IsReplica)
        {
            // It has not been a replica in between: it was the successor itself, and what it sent was held back wrongly.
            _feed.Coverage.Hold(false, position);
            _feed.Coverage.Missed(GapCause.Promoted, "the node was taken for one that another has replaced, until it was named as the master", _fenced.At, _fenced.Position, position);
        }

        _feed.Board.Change(status => status with
        {
            State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (_feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
        });
        return true;
    }

    /// <summary>Its open gap, if there is one, ends where its successor's stream begins.</summary>
    internal void SucceededBy(NodeFeed successor) => _feed.Coverage.Succeeded(successor.Status.Position);

    /// <summary>Asks for the role now, and connects now if it is waiting to.</summary>
    internal void Look()
    {
        _life.Current?.AskRole();
        if (_feed.Board.Status.State == FeedState.Down) _life.Hurry();
    }

    public void Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0) _loop = Task.Run(RunAsync);
    }

    /// <summary>
    /// Which classes to subscribe to and to see flags set for; None: connected, but subscribed to nothing, which is no gap. The change takes effect
    /// between two events, and loses and doubles none. Events of other classes may come as well: the sink decides.
    /// </summary>
    public void Want(EventClass classes)
    {
        _wanted = (uint)classes;
        _feed.Coverage.Want(classes != EventClass.None, _feed.Progress.Published.Position);
        _feed.Board.Change(status => status with { IsInStep = false });
        _life.Current?.WantChanged();
    }

    /// <summary>Waits until the feed is connected and in step with what is wanted; also on a replica.</summary>
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
    /// Reads on until everything has been handed over that the node sent for commands it has handled by now: the answer to a command given now
    /// comes behind it. Returns when that is so, when there is no subscription or the node is silent, or after the deadline.
    /// </summary>
    /// <param name="isLast">The program ends: what has been read by then is what is to be kept, see <see cref="KeepStateAsync"/>.</param>
    public async Task CatchUpAsync(TimeSpan deadline, bool isLast = false)
    {
        if (_life.Current is not { SubscribedAt: not null, Silence.IsOn: false } connection) return;

        try
        {
            await connection.CatchUpAsync(isLast).WaitAsync(deadline, _feed.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The node is silent: whoever wrote there has no answer either, or the events are lost with the connection, as at any end of it.
            FeedLog.NotCaughtUp(_feed.Logger, _feed.Node, deadline.TotalSeconds);
        }
    }

    /// <summary>
    /// The program ends: what waits for an answer, or is being found out about, is passed on or declared now, while there is somebody to take it. The connection stays.
    /// </summary>
    internal async Task ConcludeAsync()
    {
        await _feed.Tasks.EndAsync().ConfigureAwait(false);
        _life.Current?.Conclude();
    }

    /// <summary>Keeps the state of the stream as it was at the last <see cref="CatchUpAsync"/>, once all of it is settled. Returns when that is so, or after the deadline.</summary>
    internal async Task KeepStateAsync(TimeSpan deadline)
    {
        try
        {
            if (_life.Current is { SubscribedAt: not null } connection)
            {
                await connection.KeepStateAsync().WaitAsync(deadline, _feed.Time).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            // What was kept before stays: the next life's gap begins earlier.
        }
    }

    /// <summary>Waits until what is being found out about its last events has been found out, or for as long as allowed.</summary>
    internal Task SettledAsync(TimeSpan deadline, CancellationToken cancellationToken) => Task.WhenAny(
        _feed.Tasks.SettledAsync(), Task.Delay(deadline, _feed.Time, cancellationToken));

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
        _stop.Cancel(); // the loop ends, and leaves what is said here as it is
    }

    private void Die(Exception fault)
    {
        _feed.Board.Change(status => status with { State = FeedState.Stopped, IsInStep = false, LastError = $"a fault in the program: {fault.GetType().Name}" });
        _feed.Coverage.Lost(new RedisFault(RedisFaultKind.Closed, "the feed died of a fault in the program"), _feed.Progress.Published.Position);
        _completion.TrySetException(fault);
    }
}
