using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Has another node taken this one's place? Then the node is fenced: whatever it says of itself, its events are not passed on.</summary>
internal sealed class FeedFence(FeedContext feed, FeedSupervisor life)
{
    /// <summary>From when on the node is known as a master. Its old master may have taken writes until it hears of that, so it must have been heard for longer.</summary>
    public ClockReading HeardFrom
    {
        get
        {
            lock (feed.Turn) return ClockReading.LaterOf(feed.Hold.PromotedAt, life.Current?.SubscribedAt ?? default);
        }
    }

    /// <summary>Another node has taken its place, and is known as a master since then.</summary>
    public void SucceededBy(EventPosition first, ClockReading heardFrom)
    {
        lock (feed.Turn)
        {
            // If its process has ended, nobody looks any more what they were then.
            if (feed.Flags.Good != EventClass.None) feed.Coverage.FlagsUnknown(feed.Flags.At, feed.Flags.Position);
        }

        feed.Coverage.Succeeded(first, feed.Progress.Published.Position, heardFrom);
    }

    /// <summary>See <see cref="NodeFeed.ReplacedUnseen"/>.</summary>
    public void ReplacedUnseen(ClockReading after) => feed.Coverage.ReplacedUnseen(after, feed.Progress.Published.Position);

    /// <summary>Fences the node, or lifts the fence.</summary>
    /// <returns>False if nothing changed.</returns>
    public bool Set(bool isFenced)
    {
        lock (feed.Turn)
        {
            if (feed.Hold.IsFenced == isFenced) return false;

            var position = feed.Progress.Published.Position;
            if (isFenced)
            {
                feed.Hold.Fence(ClockReading.Now(feed.Time), position);
                life.Current?.Check(); // until now somebody may have taken flags away
            }
            else
            {
                feed.Hold.LiftFence();
                if (!feed.Hold.IsReplica)
                {
                    // It was not a replica in between, so it was the successor itself, and its events were held back wrongly.
                    var (at, last) = feed.Hold.Fenced;
                    feed.Coverage.HeldWrongly("the node was taken for one that another has replaced, until it was named as the master", at, last, position);
                    life.Current?.Serve([]);
                }
            }

            feed.Board.Change(status => status with
            {
                State = status.State is FeedState.Subscribed or FeedState.HeldBack ? (feed.Hold.IsHeld ? FeedState.HeldBack : FeedState.Subscribed) : status.State,
            });
            return true;
        }
    }
}
