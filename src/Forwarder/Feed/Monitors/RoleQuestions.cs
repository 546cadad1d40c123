using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How is a node asked for its role? By ROLE; by INFO where ROLE is refused; and rarely where both are.</summary>
/// <param name="answered">Called on the read loop.</param>
internal sealed class RoleQuestions(FeedContext feed, CommandPipeline commands, PollingIntervals pace, RoleQuestions.Handler answered)
{
    private const string Remedy = "ROLE and INFO are refused: grant +role, or events of a replica would be forwarded too, should this node become one";

    /// <summary>Written by the read loop; read by any thread that asks.</summary>
    private volatile bool _mayNotAsk;
    private volatile bool _useInfo;

    /// <summary>Timestamp of the last question. Written by any thread that asks, and read by the timer, both with Volatile.</summary>
    private long _askedAt;

    /// <summary>Number of questions without an answer. Changed with Interlocked; read with Volatile.Read.</summary>
    private int _asking;

    /// <param name="role">Null: the answer does not tell.</param>
    /// <param name="hasLink">Whether the link of a replica to its master is up.</param>
    /// <param name="first">Completes when the first question is answered; null for a later one.</param>
    public delegate void Handler(RedisAnswer reply, NodeRole? role, bool hasLink, ClockReading sentAt, TaskCompletionSource? first);

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

    /// <summary>Asks if no question is under way. Any thread.</summary>
    public void AskIfNone()
    {
        if (Volatile.Read(ref _asking) == 0) Ask(null);
    }

    /// <summary>Asks in any case. Any thread.</summary>
    public void Ask(TaskCompletionSource? first)
    {
        Interlocked.Increment(ref _asking);
        Volatile.Write(ref _askedAt, feed.Time.GetTimestamp());
        if (_useInfo) commands.Send((reply, sentAt) => OnInfo(reply, sentAt, first), "INFO", "replication");
        else commands.Send((reply, sentAt) => OnRole(reply, sentAt, first), "ROLE");
    }

    /// <summary>Called when an answer takes effect.</summary>
    public void Accepted(bool isError)
    {
        if (_useInfo || isError) return;

        _mayNotAsk = false;
        feed.Remedies.Set(FeedAspect.Role, null);
    }

    private void OnRole(RedisAnswer reply, ClockReading sentAt, TaskCompletionSource? first)
    {
        Interlocked.Decrement(ref _asking);
        if (reply.IsError && !RedisErrors.IsPassing(reply))
        {
            _useInfo = true;
            Ask(first);
            return;
        }

        answered(reply, reply.IsError ? null : RoleReply.Of(reply), RoleReply.HasLink(reply), sentAt, first);
    }

    private void OnInfo(RedisAnswer reply, ClockReading sentAt, TaskCompletionSource? first)
    {
        Interlocked.Decrement(ref _asking);
        var isRefused = reply.IsError && !RedisErrors.IsPassing(reply);
        if (isRefused) _useInfo = false; // asks ROLE first next time, since the right may have been granted
        _mayNotAsk = isRefused;
        feed.Remedies.Set(FeedAspect.Role, isRefused ? Remedy : null);
        var hasLink = InfoText.Find(reply.Text, "master_link_status") == "up";
        answered(reply, reply.IsError ? null : RoleReply.Named(InfoText.Find(reply.Text, "role")), hasLink, sentAt, first);
    }
}
