using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Is the node a master now? Asks again and again: a demoted master stays connected, healthy, and full of notifications.</summary>
/// <remarks>
/// One a connection. Replies are handled on the read loop, so a role holds from an exact place in the stream on. What lies between the last answer "slave" and
/// the first "master" was held back though some of it may be the new master's: if there is anything, it is a gap.
/// </remarks>
internal sealed class RoleKeeper(FeedContext feed, FeedCommands commands)
{
    private const string RoleRemedy =
        "ROLE and INFO are refused: grant +role, or events of a replica would be forwarded too, should this node become one";

    private (Moment At, EventPosition Position, long HeldBack) _lastReplica;
    private bool _mayNotAsk;
    private bool _useInfo;
    private long _askedAt;

    /// <summary>Read loop only.</summary>
    public bool IsReplica { get; private set; }

    public NodeRole Role { get; private set; }

    public async Task AskFirstAsync()
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>Asks when it is time to. Timer only.</summary>
    public void AskWhenDue(TimeSpan slack)
    {
        var interval = _mayNotAsk ? feed.Options.RefusedInterval : feed.Options.RoleInterval;
        if (feed.Time.GetElapsedTime(_askedAt) + slack >= interval)
            Ask(null);
    }

    private void Ask(TaskCompletionSource? answered)
    {
        _askedAt = feed.Time.GetTimestamp();
        if (_useInfo)
            commands.Send((reply, sentAt) => OnInfo(reply, sentAt, answered), "INFO", "replication");
        else
            commands.Send((reply, sentAt) => OnRole(reply, sentAt, answered), "ROLE");
    }

    private void OnRole(FeedReply reply, Moment sentAt, TaskCompletionSource? answered)
    {
        if (reply.IsError && !FeedErrors.IsPassing(reply))
        {
            _useInfo = true;
            Ask(answered);
            return;
        }

        Learn(reply, reply.IsError ? Role : RoleReply.Of(reply), sentAt, answered);
    }

    private void OnInfo(FeedReply reply, Moment sentAt, TaskCompletionSource? answered)
    {
        bool isRefused = reply.IsError && !FeedErrors.IsPassing(reply);
        if (isRefused)
            _useInfo = false; // next time ROLE first: it may have been granted
        _mayNotAsk = isRefused;
        feed.Remedies.Set(FeedAspect.Role, isRefused ? RoleRemedy : null);
        Learn(reply, reply.IsError ? Role : RoleReply.Named(InfoText.Find(reply.Text, "role")), sentAt, answered);
    }

    private void Learn(FeedReply reply, NodeRole role, Moment sentAt, TaskCompletionSource? answered)
    {
        if (answered is not null && FeedErrors.IsPassing(reply))
            throw new FeedFaultException(FeedFaultKind.ConnectFailed, $"the node does not say its role yet: {FeedText.Clean(reply.Text)}");

        if (!_useInfo && !reply.IsError)
        {
            _mayNotAsk = false;
            feed.Remedies.Set(FeedAspect.Role, null);
        }

        var before = Role;
        Role = role;
        IsReplica = role == NodeRole.Replica;
        if (before == NodeRole.Replica && role == NodeRole.Master && feed.Progress.HeldBack > _lastReplica.HeldBack)
        {
            feed.Coverage.Missed(GapCause.Promoted, "the node was promoted; what it sent before that was noticed was held back", _lastReplica.At,
                _lastReplica.Position, feed.Progress.Position);
        }

        if (IsReplica && !reply.IsError)
            _lastReplica = (sentAt, feed.Progress.Position, feed.Progress.HeldBack);
        if (before != role || answered is not null)
            Show(before);
        answered?.TrySetResult();
    }

    private void Show(NodeRole before)
    {
        feed.Board.Change(status => status with
        {
            Role = Role,
            State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (IsReplica ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
        });
        if (before != NodeRole.Unknown && before != Role)
            FeedLog.RoleChanged(feed.Logger, feed.Node, Role);
    }
}
