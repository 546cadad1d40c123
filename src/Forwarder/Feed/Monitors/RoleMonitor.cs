using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>Is the node a master now? Asks again and again: a demoted master stays connected, healthy, and full of notifications.</summary>
/// <remarks>
/// One a connection. Replies are handled on the read loop, so a role holds from an exact place in the stream on. What lies between the last answer "slave" and
/// the first "master" was held back and kept: once the old master's feed has read all it will get, what is new in it is passed on, before anything newer.
/// What is asked of other nodes for that is a task of the feed, not of this connection: it comes to its end whatever becomes of the connection.
/// </remarks>
internal sealed class RoleMonitor(FeedContext feed, CommandPipeline commands, RoleConfirmGate outlet, PollingIntervals pace)
{
    private const string RoleRemedy =
        "ROLE and INFO are refused: grant +role, or events of a replica would be forwarded too, should this node become one";

    private bool _mayNotAsk;
    private bool _useInfo;
    private long _askedAt;
    private int _asking;

    /// <summary>When the last answer "master" was asked for: all that the node sent before has been read, and was its own.</summary>
    private ClockReading _masterAt;

    /// <summary>What the node said of itself before this connection counted.</summary>
    private Action? _first;

    public NodeRole Role { get; private set; }

    /// <summary>The answer takes effect in <see cref="Begin"/>.</summary>
    public async Task AskFirstAsync()
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>The connection counts from here on. Under the turn.</summary>
    public void Begin()
    {
        _first?.Invoke();
        _first = null;
    }

    /// <summary>Asks when it is time to.</summary>
    public void AskWhenDue(TimeSpan slack)
    {
        var interval = _mayNotAsk ? feed.Options.RefusedInterval : pace.RoleInterval;
        if (feed.Time.GetElapsedTime(_askedAt) + slack >= interval)
            Ask(null);
    }

    /// <summary>What has been read waits for an answer given behind it; one question at a time.</summary>
    public void AskToConfirm()
    {
        if (Volatile.Read(ref _asking) == 0)
            Ask(null);
    }

    /// <summary>Any thread.</summary>
    public void AskNow() => Ask(null);

    /// <summary>The connection is over: what waited came from a master, as far as it is known.</summary>
    public void End() => outlet.PassAll();

    private void Ask(TaskCompletionSource? answered)
    {
        Interlocked.Increment(ref _asking);
        _askedAt = feed.Time.GetTimestamp();
        if (_useInfo)
            commands.Send((reply, sentAt) => OnInfo(reply, sentAt, answered), "INFO", "replication");
        else
            commands.Send((reply, sentAt) => OnRole(reply, sentAt, answered), "ROLE");
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
        bool isRefused = reply.IsError && !RedisErrors.IsPassing(reply);
        if (isRefused)
            _useInfo = false; // next time ROLE first: it may have been granted
        _mayNotAsk = isRefused;
        feed.Remedies.Set(FeedAspect.Role, isRefused ? RoleRemedy : null);
        bool hasLink = InfoText.Find(reply.Text, "master_link_status") == "up";
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
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node does not say its role yet: {CleanText.Server(reply.Text)}");
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
            if (outlet.HasWaiting)
                Doubt(outlet.TakeDoubtful(), _masterAt == default ? sentAt : _masterAt);
            feed.Hold.SeenReplica(sentAt, feed.Progress.Position, hasLink);
            feed.Coverage.Hold(true, feed.Progress.Position);
        }
        else if (role != NodeRole.Replica && feed.Hold.IsReplica)
        {
            Promote();
        }
        else if (role != NodeRole.Replica && isFirst && !feed.Hold.IsPromoting)
        {
            feed.Coverage.Hold(feed.Hold.IsFenced, feed.Progress.Position); // one that was replaced is not missed, whatever it says
        }

        if (role != NodeRole.Replica)
        {
            _masterAt = sentAt;
            outlet.Confirm();
        }

        if (before != role || isFirst)
            Show(before);
    }

    /// <summary>At once where nobody knows the old master; else when its feed has read what there is.</summary>
    private void Promote()
    {
        int promotion = feed.Hold.BeginPromotion();
        if (feed.Predecessor is { } predecessor)
            feed.Tasks.Run("settling a promotion", feed.Options.NeighbourDeadline, end => SettleLaterAsync(predecessor, promotion, end));
        else
            Settle(null);
    }

    private async Task SettleLaterAsync(Func<Task<IReadOnlyList<RecordedNotification>?>> predecessor, int promotion, CancellationToken end)
    {
        var sent = await AnswerOfAsync(predecessor, end).ConfigureAwait(false);
        lock (feed.Turn)
        {
            if (feed.Hold.IsPromoting && feed.Hold.Promotion == promotion) // else it is a replica again
                Settle(sent);
        }
    }

    /// <returns>Null: not known, and what depends on it is declared.</returns>
    private static async Task<IReadOnlyList<RecordedNotification>?> AnswerOfAsync(Func<Task<IReadOnlyList<RecordedNotification>?>> neighbour, CancellationToken end)
    {
        try
        {
            return await neighbour().WaitAsync(end).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            return null;
        }
    }

    private void Settle(IReadOnlyList<RecordedNotification>? sent)
    {
        var last = feed.Hold.Last;
        var fresh = feed.Hold.Settle(sent, out string? missed);
        feed.Echo?.Clear(); // of an earlier time as master
        outlet.PassOn(fresh);
        feed.Progress.Release(fresh.Count);

        if (missed is not null)
            feed.Coverage.Missed(GapCause.Promoted, missed, last.At, last.Position, feed.Progress.Position);
        feed.Coverage.Hold(feed.Hold.IsFenced, feed.Progress.Position);
        FeedLog.Promoted(feed.Logger, feed.Node, fresh.Count);
        Show(Role);
    }

    /// <summary>
    /// What the node sent between its last answer "master" and its first "slave" is its own, or echoes what its successor sends. It is its own if that one has not
    /// sent it. Where that cannot be known it is a gap.
    /// </summary>
    private void Doubt(List<RecordedNotification> doubtful, ClockReading at)
    {
        if (doubtful.Count == 0)
            return;

        feed.Shelf?.BeginDoubt();
        feed.Tasks.Run("judging what a demoted master sent last", feed.Options.NeighbourDeadline, end => JudgeLaterAsync(doubtful, at, end));
    }

    private async Task JudgeLaterAsync(List<RecordedNotification> doubtful, ClockReading at, CancellationToken end)
    {
        try
        {
            var sent = feed.Successor is { } successor ? await AnswerOfAsync(successor, end).ConfigureAwait(false) : null;
            lock (feed.Turn)
            {
                if (sent is null)
                    feed.Coverage.Missed(GapCause.Promoted, "the node was demoted, and its successor is not known yet", at, doubtful[0].Position, feed.Progress.Position);
                else
                    outlet.PassOn(PromotionOverlap.NotIn(doubtful, sent));
            }
        }
        finally
        {
            feed.Shelf?.EndDoubt();
        }
    }

    private void Show(NodeRole before)
    {
        bool isMaster = Role != NodeRole.Replica && !feed.Hold.IsPromoting;
        feed.Board.Change(status => status with
        {
            Role = Role,
            State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
            MasterSince = isMaster ? status.MasterSince ?? feed.Time.GetUtcNow() : null,
        });
        if (before != NodeRole.Unknown && before != Role)
            FeedLog.RoleChanged(feed.Logger, feed.Node, Role);
    }
}
