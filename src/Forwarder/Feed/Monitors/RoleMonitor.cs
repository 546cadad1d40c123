using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>Is the node a master? Asks again and again, because a demoted master stays connected, healthy, and full of notifications.</summary>
/// <remarks>
/// Each connection has one. Replies are handled on the read loop, so a role holds from an exact place in the stream on. What happens to the events around a change of role
/// is decided by <see cref="RoleChange"/>.
/// </remarks>
internal sealed class RoleMonitor(FeedContext feed, CommandPipeline commands, RoleConfirmGate outlet, PollingIntervals pace)
{
    private const string RoleRemedy =
        "ROLE and INFO are refused: grant +role, or events of a replica would be forwarded too, should this node become one";

    private readonly RoleChange _change = new(feed, outlet);

    /// <summary>Written by the read loop; read by any thread that asks.</summary>
    private volatile bool _mayNotAsk;
    private volatile bool _useInfo;

    /// <summary>Timestamp of the last question. Written by any thread that asks, and read by the timer, both with Volatile.</summary>
    private long _askedAt;

    /// <summary>Number of questions without an answer. Changed with Interlocked; read with Volatile.Read.</summary>
    private int _asking;

    /// <summary>When the last question was sent that was answered with "master". All that the node sent before has been read, and came from a master.</summary>
    private ClockReading _masterAt;

    /// <summary>The node's first answer, which takes effect in <see cref="Begin"/>; null if there is none.</summary>
    private Action? _first;

    /// <summary>Written and read under <see cref="FeedContext.Turn"/>.</summary>
    public NodeRole Role { get; private set; }

    /// <summary>Asks for the role for the first time. The answer takes effect in <see cref="Begin"/>.</summary>
    public async Task AskFirstAsync()
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>Called when the connection becomes active, under <see cref="FeedContext.Turn"/>.</summary>
    public void Begin()
    {
        _first?.Invoke();
        _first = null;
    }

    /// <summary>Asks if the last question is old enough.</summary>
    public void AskWhenDue(TimeSpan slack)
    {
        var interval = _mayNotAsk ? feed.Options.RefusedInterval : pace.RoleInterval;
        if (feed.Time.GetElapsedTime(Volatile.Read(ref _askedAt)) + slack >= interval) Ask(null);
    }

    /// <summary>Asks if no question is under way, and the last one is old enough. Any thread; many sessions may call it at once.</summary>
    public void AskOnce(TimeSpan slack)
    {
        if (Volatile.Read(ref _asking) == 0) AskWhenDue(slack);
    }

    /// <summary>Asks if no question is under way. Events that have been read wait for an answer that comes behind them.</summary>
    public void AskToConfirm()
    {
        if (Volatile.Read(ref _asking) == 0) Ask(null);
    }

    /// <summary>Asks in any case. May be called on any thread.</summary>
    public void AskNow() => Ask(null);

    /// <summary>Called when the connection ends. Passes on the events that still wait, as the node was a master when it last answered.</summary>
    public void End() => outlet.PassAll();

    private void Ask(TaskCompletionSource? answered)
    {
        Interlocked.Increment(ref _asking);
        Volatile.Write(ref _askedAt, feed.Time.GetTimestamp());
        if (_useInfo) commands.Send((reply, sentAt) => OnInfo(reply, sentAt, answered), "INFO", "replication");
        else commands.Send((reply, sentAt) => OnRole(reply, sentAt, answered), "ROLE");
    }

    private void OnRole(RedisAnswer reply, ClockReading sentAt, TaskCompletionSource? answered)
    {
        if (reply.IsError && !RedisErrors.IsPassing(reply))
        {
            _useInfo = true;
            Interlocked.Decrement(ref _asking);
            Ask(answered);
            return;
        }

        Learn(reply, reply.IsError ? Role : RoleReply.Of(reply), RoleReply.HasLink(reply), sentAt, answered);
    }

    private void OnInfo(RedisAnswer reply, ClockReading sentAt, TaskCompletionSource? answered)
    {
        var isRefused = reply.IsError && !RedisErrors.IsPassing(reply);
        if (isRefused) _useInfo = false; // asks ROLE first next time, since the right may have been granted
        _mayNotAsk = isRefused;
        feed.Remedies.Set(FeedAspect.Role, isRefused ? RoleRemedy : null);
        var hasLink = InfoText.Find(reply.Text, "master_link_status") == "up";
        Learn(reply, reply.IsError ? Role : RoleReply.Named(InfoText.Find(reply.Text, "role")), hasLink, sentAt, answered);
    }

    private void Learn(RedisAnswer reply, NodeRole role, bool hasLink, ClockReading sentAt, TaskCompletionSource? answered)
    {
        Interlocked.Decrement(ref _asking);
        if (answered is null && _first is null)
        {
            TakeEffect(reply, role, hasLink, sentAt, isFirst: false);
            return;
        }

        if (answered is not null && RedisErrors.IsPassing(reply))
        {
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node does not say its role yet: {CleanText.Server(reply.Text)}");
        }

        _first = () => TakeEffect(reply, role, hasLink, sentAt, isFirst: true);
        answered?.TrySetResult();
    }

    private void TakeEffect(RedisAnswer reply, NodeRole role, bool hasLink, ClockReading sentAt, bool isFirst)
    {
        if (!_useInfo && !reply.IsError)
        {
            _mayNotAsk = false;
            feed.Remedies.Set(FeedAspect.Role, null);
        }

        var before = Role;
        Role = role;
        if (role == NodeRole.Replica && !reply.IsError)
        {
            _change.Demoted(outlet.TakeDoubtful(), _masterAt == default ? sentAt : _masterAt);
            feed.Hold.SeenReplica(sentAt, feed.Progress.Position, hasLink);
            feed.Coverage.Hold(true, feed.Progress.Position);
        }
        else if (role != NodeRole.Replica && feed.Hold.IsReplica)
        {
            _change.Promoted(() => Show(Role));
        }
        else if (role != NodeRole.Replica && isFirst && !feed.Hold.IsPromoting)
        {
            feed.Coverage.Hold(feed.Hold.IsFenced, feed.Progress.Position); // a fenced node was replaced: nobody misses its events, whatever it says of itself
        }

        if (role != NodeRole.Replica)
        {
            _masterAt = sentAt;
            outlet.Confirm();
        }

        if (before != role || isFirst) Show(before);
    }

    private void Show(NodeRole before)
    {
        var isMaster = Role != NodeRole.Replica && !feed.Hold.IsPromoting;
        feed.Board.Change(status => status with
        {
            Role = Role,
            State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
            MasterSince = isMaster ? status.MasterSince ?? feed.Time.GetUtcNow() : null,
        });
        if (before != NodeRole.Unknown && before != Role) FeedLog.RoleChanged(feed.Logger, feed.Node, Role);
    }
}
