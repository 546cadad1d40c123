using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>This program becomes the holder of a stream, or joins others there: what does it pass on first, and what has nobody kept?</summary>
/// <remarks>Under <see cref="FeedContext.Turn"/>.</remarks>
/// <param name="pass">Gives an event to the sink.</param>
internal sealed class StreamTakeover(FeedContext feed, StreamGroup group, CheckpointKeeper state, NotificationRing.Visitor pass)
{
    /// <summary>What was heard before the group began has the number of its beginning, but may have come earlier by this much.</summary>
    private static readonly TimeSpan BeforeFirst = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Of messages that are said in the same millisecond each takes the next free one, so their numbers run ahead of the clock. A gap begins so much earlier than the number says; not more
    /// than fifty messages come at once. Clocks of several machines that differ are another matter: see docs/guarantees.md.
    /// </summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(50);

    private readonly StreamMember _member = group.Member;
    private (ClockReading From, EventPosition Last)? _notKept;

    /// <summary>The node is a master from here on, or no longer taken for one that was replaced. Takes over what its old master has left.</summary>
    public void Serve(IReadOnlyList<Estate> estates)
    {
        var position = feed.Progress.Position;
        foreach (var estate in estates) _member.Inherit(estate, new StreamPlace(position.Marker, position.Count));
        if (_member.IsHolder) state.AskAsMaster(group.RunId, isPromoted: true);
        else if (_member.IsKnown) state.Known(group.RunId); // the holder declares what nobody has heard
        if (_member.Serve()) Replay();
    }

    /// <summary>What came between here and now is not kept. If nobody else was there, it is missing.</summary>
    public void NotKept(ClockReading from, EventPosition last) => _notKept = (from, last);

    /// <summary>Nobody has answered: either this program declares what was missed, or the one that has made the fresh claim does.</summary>
    /// <returns>Whether a gap is declared from what an earlier holder has kept, up to where this program has kept everything.</returns>
    public bool JudgeAnew()
    {
        if (!_member.IsHolder)
        {
            JudgeRejoined();
            return false;
        }

        // If this program was never in step, what an earlier holder has kept tells from where on events are missing. A replica has none of its own.
        var first = At(_member.Reach!.Value);
        var isDeclared = !feed.Hold.IsReplica && state.TryDeclareKept(first);
        if (!feed.Hold.IsReplica && !isDeclared) state.MissedToo();
        feed.Coverage.Judge(isCovered: isDeclared, first);
        if (_notKept is { } missing && !isDeclared && !feed.Hold.IsReplica)
        {
            feed.Coverage.Missed(GapCause.NotRunning, "it was not known yet which events the configuration wants that Redis keeps", missing.From, missing.Last, first);
        }

        _notKept = null;
        return isDeclared;
    }

    /// <summary>Another member has told the state.</summary>
    /// <param name="lacked">The classes whose flags were missing when this program connected. Who delivers may not have noticed, and may be gone before it does.</param>
    public void JudgeLearned(EventClass lacked)
    {
        if ((lacked & group.Config.Classes) != EventClass.None && group.Config.Version == _member.ConfigVersion && group.IsHeldByAnother && !feed.Hold.IsReplica)
        {
            var (last, now) = (_member.Watermark, feed.Time.GetUtcNow());
            const string Why = "notify-keyspace-events lacked what is needed when this program joined a group that listened already";
            feed.Coverage.NotCovered(GapCause.FlagsMissing, Why, last == default ? now - BeforeFirst : WallOf(last.Marker), At(last), now, feed.Progress.Position);
        }

        JudgeRejoined();
    }

    /// <summary>Others know the state. If they have not known it all the time, they have not kept what this program had kept, and cannot declare it.</summary>
    private void JudgeRejoined()
    {
        _notKept = null;
        var first = feed.Progress.Position;
        if (_member.LastKnown.Undelivered is { } last && !feed.Hold.IsReplica)
        {
            feed.Coverage.NotCovered(GapCause.NotRunning, "the other members of the group had gone, and new ones have begun anew", WallOf(last.Marker), last, feed.Time.GetUtcNow(), first);
        }

        feed.Coverage.Judge(_member.LastKnown.IsContinued || _member.LastKnown.Undelivered is not null, first);
    }

    /// <param name="isDeclared">Whether what is missing lies in a gap that is declared already.</param>
    /// <param name="took">Since the holder before it was heard.</param>
    public void TakeOver(bool isDeclared, TimeSpan took)
    {
        if (_member.Missing is { } missing && !isDeclared && !feed.Hold.IsReplica)
        {
            feed.Coverage.NotCovered(
                GapCause.NotRunning, "nobody delivered for a while, and what was not settled is no longer kept by anybody", WallOf(missing.From.Marker) - (_member.Watermark == default ? BeforeFirst : default), At(missing.From),
                feed.Time.GetUtcNow(), At(missing.To));
        }

        if (_member.IsServing && feed.Options.HasSuccessors && !isDeclared) state.AskAsMaster(group.RunId, isPromoted: false);
        if (_member.IsServing) Replay();
        FeedLog.TookOver(feed.Logger, feed.Node, _member.LastReplayed, took.TotalMilliseconds);
    }

    private void Replay()
    {
        foreach (var last in _member.Delivery.Inherited.TakeUnheard())
        {
            const string Why = "nobody delivered for a while before another node took the master's place, and what was not settled is no longer kept by anybody";
            feed.Coverage.NotCovered(GapCause.NotRunning, Why, WallOf(last.Marker) - (last.Count == 0 ? BeforeFirst : default), last, feed.Time.GetUtcNow(), feed.Progress.Position);
            state.Declared(last);
        }

        _member.Replay(pass);
        feed.Sink.EndOfBatch();
    }

    /// <summary>A marker is made of the clock.</summary>
    private DateTimeOffset WallOf(long marker) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(EventPosition.MarkerMilliseconds(marker) - (long)Ahead.TotalMilliseconds, 0, feed.Time.GetUtcNow().ToUnixTimeMilliseconds()));

    private EventPosition At(StreamPlace place) => new(group.RunId, place.Marker, place.Count);
}
