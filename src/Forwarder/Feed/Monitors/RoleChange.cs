using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>After a change of the node's role: which of the events around that moment are its own, and are passed on?</summary>
/// <remarks>
/// A replica repeats the events of its master. So what the node sent around a change is compared with what the other node, its old or its new master, has sent.
/// The other node is asked by a task of the feed, not of the connection, so the task goes on if the connection ends.
/// </remarks>
internal sealed class RoleChange(FeedContext feed, RoleConfirmGate outlet)
{
    /// <summary>
    /// Called when the node was a replica and is a master. What it sent since its last answer "slave" was held back. Those events that the old master
    /// has not sent are passed on, before anything newer. If no old master is known, this happens at once; else when the old master's feed has read
    /// everything there is.
    /// </summary>
    /// <param name="settled">Called when this is done.</param>
    public void Promoted(Action settled)
    {
        var promotion = feed.Hold.BeginPromotion(ClockReading.Now(feed.Time));
        if (feed.Predecessor is { } predecessor)
        {
            feed.Tasks.Run("settling a promotion", feed.Options.NeighbourDeadline, end => SettleLaterAsync(predecessor, promotion, settled, end));
        }
        else
        {
            Settle(null, [], [], settled);
        }
    }

    /// <summary>
    /// Called when the node was a master and is a replica. What it sent between its last answer "master" and its first "slave" is its own only if its
    /// successor has not sent it. If that cannot be known, a gap is declared.
    /// </summary>
    /// <param name="doubtful">What the node sent in between.</param>
    /// <param name="at">When it was certainly still a master.</param>
    public void Demoted(List<RecordedNotification> doubtful, ClockReading at)
    {
        if (doubtful.Count == 0) return;

        feed.Hold.BeginDoubt(doubtful);
        feed.Shelf?.BeginDoubt();
        feed.Tasks.Run("judging what a demoted master sent last", feed.Options.NeighbourDeadline, end => JudgeLaterAsync(doubtful, at, end));
    }

    private async Task SettleLaterAsync(Func<Task<IReadOnlyList<RecordedNotification>?>> predecessor, int promotion, Action settled, CancellationToken end)
    {
        var sent = await AnswerOfAsync(predecessor, end).ConfigureAwait(false);
        var (estates, doubtful) = (feed.PredecessorsEstate?.Invoke() ?? [], feed.PredecessorsDoubtful?.Invoke() ?? []); // under the lock of the other feed, so not under that of this one
        lock (feed.Turn)
        {
            if (feed.Hold.IsPromoting && feed.Hold.Promotion == promotion)
            {
                Settle(sent, estates, doubtful, settled);
            }
            else
            {
                outlet.Group.Serve(estates); // the node has become a replica again, and keeps it for its own successor
            }
        }
    }

    private void Settle(IReadOnlyList<RecordedNotification>? sent, IReadOnlyList<Estate> estates, IReadOnlyList<RecordedNotification> doubtful, Action settled)
    {
        var last = feed.Hold.Last;
        var fresh = feed.Hold.Settle(sent, out var missed);
        feed.Aliases.Note(fresh, doubtful, feed.Group.Member.NameOf);
        feed.Echo?.Clear(); // what it holds is from an earlier time as a master
        outlet.Wait(fresh);
        outlet.Group.Serve(estates);
        outlet.PassAll();
        feed.Progress.Release(fresh.Count);

        if (missed is not null) feed.Coverage.Missed(GapCause.Promoted, missed, last.At, last.Position, feed.Progress.Position);
        feed.Coverage.Hold(feed.Hold.IsFenced, feed.Progress.Position);
        FeedLog.Promoted(feed.Logger, feed.Node, fresh.Count);
        settled();
    }

    private async Task JudgeLaterAsync(List<RecordedNotification> doubtful, ClockReading at, CancellationToken end)
    {
        try
        {
            var sent = feed.Successor is { } successor ? await AnswerOfAsync(successor, end).ConfigureAwait(false) : null;
            lock (feed.Turn)
            {
                if (sent is null)
                {
                    feed.Coverage.Missed(GapCause.Promoted, "the node was demoted, and its successor is not known yet", at, doubtful[0].Position, feed.Progress.Position);
                }
                else
                {
                    outlet.PassOn(PromotionOverlap.NotIn(doubtful, sent));
                }
            }

            feed.LeaveEstate?.Invoke(); // the successor's holder delivers what was found to be this node's own
        }
        finally
        {
            lock (feed.Turn) feed.Hold.EndDoubt(doubtful);
            feed.Shelf?.EndDoubt();
        }
    }

    /// <returns>What the other node has sent. Null if that is not known; the caller then declares a gap where needed.</returns>
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
}
