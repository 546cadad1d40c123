using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How far had the last holder settled the stream, by what it has stored in the node?</summary>
/// <remarks>Each connection reads it once, when it has subscribed. Under <see cref="FeedContext.Turn"/>.</remarks>
internal sealed class KeptCheckpoint(FeedContext feed)
{
    /// <summary>If it is not older than this, its writer is probably still there.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromSeconds(5);

    private Checkpoint? _checkpoint;

    /// <summary>What the last holder has kept; null: it is not known yet.</summary>
    public KeptWatermark? Watermark { get; private set; }

    /// <summary>There is none, or none is kept.</summary>
    public void None() => Watermark = new KeptWatermark();

    public void Read(RedisAnswer reply, CheckpointRegistry.Place place)
    {
        var read = reply.IsError ? null : Checkpoint.Parse(reply.Text);
        var isThere = reply.IsError ? reply.ErrorCode == "WRONGTYPE" : reply.Text.Length > 0;
        if (read is null && isThere) FeedLog.StateUnreadable(feed.Logger, feed.Node, place.Key);
        if (read is not null) feed.Markers.RaiseAbove(read.Position.Marker);
        _checkpoint = read is not null && IsNews(read, place) ? read : null;
        if (_checkpoint is not { } kept)
        {
            None();
            return;
        }

        feed.Shelf!.Found(kept);
        // Another node's place says nothing of this node's stream, and whoever was heard there need not be heard here. The same is true of this node's from before it became a replica.
        var isOfOther = feed.Options.HasSuccessors && (kept.Position.RunId != feed.Group.RunId || feed.Hold.IsReplica);
        Watermark = isOfOther ? default : new KeptWatermark(new StreamPlace(kept.Position.Marker, kept.Position.Count), !kept.HasEnded && (feed.Time.GetUtcNow() - kept.At).Duration() < Young);
    }

    /// <summary>Who knew this stream, but did not hear its events, has to know how far the others had come.</summary>
    private bool IsNews(Checkpoint kept, CheckpointRegistry.Place place) =>
        (!place.Knows(kept.Position.RunId) && !place.IsDeclared(kept.Position)) || (kept.Position.RunId == feed.Group.RunId && !feed.Group.Member.LastKnown.WasInStep);

    /// <summary>Whether what was read, and is news, is of another stream than this.</summary>
    public bool IsOfOther(ulong run) => _checkpoint is { } kept && kept.Position.RunId != run;

    /// <summary>Nobody was there, so what came since is to be declared, once.</summary>
    public Checkpoint? Take() => Interlocked.Exchange(ref _checkpoint, null);
}
