using KeyEvt.Forwarder.Events;
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
internal sealed class RoleMonitor
{
    private readonly FeedContext _feed;
    private readonly RoleConfirmGate _outlet;
    private readonly RoleQuestions _questions;
    private readonly RoleChange _change;

    /// <summary>When the last question was sent that was answered with "master". All that the node sent before has been read, and came from a master.</summary>
    private ClockReading _masterAt;

    /// <summary>The node's first answer, which takes effect in <see cref="Begin"/>; null if there is none.</summary>
    private Action? _first;

    public RoleMonitor(FeedContext feed, CommandPipeline commands, RoleConfirmGate outlet, PollingIntervals pace)
    {
        (_feed, _outlet) = (feed, outlet);
        _questions = new RoleQuestions(feed, commands, pace, Learn);
        _change = new RoleChange(feed, outlet);
    }

    /// <summary>Written and read under <see cref="FeedContext.Turn"/>.</summary>
    public NodeRole Role { get; private set; }

    /// <summary>Asks for the role for the first time. The answer takes effect in <see cref="Begin"/>.</summary>
    public async Task AskFirstAsync()
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions.Ask(answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>Called when the connection becomes active, under <see cref="FeedContext.Turn"/>.</summary>
    public void Begin()
    {
        _first?.Invoke();
        _first = null;
    }

    /// <inheritdoc cref="RoleQuestions.AskWhenDue"/>
    public void AskWhenDue(TimeSpan slack) => _questions.AskWhenDue(slack);

    /// <inheritdoc cref="RoleQuestions.AskOnce"/>
    public void AskOnce(TimeSpan slack) => _questions.AskOnce(slack);

    /// <summary>Asks if no question is under way. Events that have been read wait for an answer that comes behind them.</summary>
    public void AskToConfirm() => _questions.AskIfNone();

    /// <summary>Asks in any case. May be called on any thread.</summary>
    public void AskNow() => _questions.Ask(null);

    /// <summary>Called when the connection ends. Passes on the events that still wait, as the node was a master when it last answered.</summary>
    public void End() => _outlet.PassAll();

    private void Learn(RedisAnswer reply, NodeRole? told, bool hasLink, ClockReading sentAt, TaskCompletionSource? answered)
    {
        var role = told ?? Role;
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
        _questions.Accepted(reply.IsError);
        var before = Role;
        Role = role;
        if (role == NodeRole.Replica && !reply.IsError)
        {
            var wasMaster = before != NodeRole.Replica && _masterAt != default;
            if (wasMaster) _feed.Mastership = new Mastership((_masterAt, _feed.Progress.Position), sentAt);
            _change.Demoted(_outlet.TakeDoubtful(), _masterAt == default ? sentAt : _masterAt);
            if (_feed.Hold.IsPromoting)
            {
                var (at, position) = _feed.Hold.Last;
                _feed.Coverage.Missed(GapCause.Promoted, "the node was demoted before it was known what it sent as a master", at, position, _feed.Progress.Position);
            }

            _feed.Hold.SeenReplica(sentAt, _feed.Progress.Position, hasLink);
            _feed.Coverage.Hold(true, _feed.Progress.Position, sentAt);
        }
        else if (role != NodeRole.Replica && _feed.Hold.IsReplica)
        {
            _change.Promoted(() => Show(Role));
        }
        else if (role != NodeRole.Replica && isFirst && !_feed.Hold.IsPromoting)
        {
            _feed.Coverage.Hold(_feed.Hold.IsFenced, _feed.Progress.Position); // a fenced node was replaced: nobody misses its events, whatever it says of itself
        }

        if (role != NodeRole.Replica)
        {
            (_masterAt, _feed.Mastership) = (sentAt, Mastership.Current);
            _outlet.Confirm();
        }

        if (before != role || isFirst) Show(before);
    }

    private void Show(NodeRole before)
    {
        var isMaster = Role != NodeRole.Replica && !_feed.Hold.IsPromoting;
        _feed.Board.Change(status => status with
        {
            Role = Role,
            State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (_feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
            MasterSince = isMaster ? status.MasterSince ?? _feed.Time.GetUtcNow() : null,
        });
        if (before != NodeRole.Unknown && before != Role) FeedLog.RoleChanged(_feed.Logger, _feed.Node, Role);
    }
}
