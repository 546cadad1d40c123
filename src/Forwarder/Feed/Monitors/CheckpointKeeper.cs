using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>
/// What happened at the node while no member of the group ran? The holder stores in the node how far its stream is settled. Who finds nobody there at its
/// start declares what came since as a gap.
/// </summary>
/// <remarks>
/// Each connection has one. At most once a second, and only if events have come, a checkpoint is taken. It notes the position in the stream, up to
/// when the stream is known to be whole, and what has been passed on by then. The checkpoint is written once all of that is confirmed, stored or
/// counted as dropped, and a later check has found the flags set: events in memory only would be lost with the program. If nothing happens at a node,
/// nothing is written, so the gap after a kill begins at the checkpoint of the last event. Masters only. In a cluster the key is in a slot that the
/// node serves. The members need not agree on this key: whoever finds nothing knows nothing. Read loop, unless stated otherwise.
/// </remarks>
internal sealed class CheckpointKeeper(FeedContext feed, CommandPipeline commands, Func<EventClass> wanted, RoleConfirmGate outlet, NotifyFlagsMonitor flags)
{
    /// <summary>Shortest time between two writes.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long the state of an earlier run is asked for while another node of the cluster has the key, as it may on the move of a slot.</summary>
    private static readonly TimeSpan LongestMove = TimeSpan.FromSeconds(5);

    private volatile Beginning? _beginning;
    private volatile bool _isSubscribed;
    private volatile bool _isLast;
    private volatile TaskCompletionSource? _stored;
    private CheckpointRegistry.Place? _place;
    private string? _tag;
    private PendingCheckpoint? _taken;
    private bool _isAsking;
    private bool _mayNotRead;
    private (long Since, long At)? _elsewhere; // since when, and when last, another node had the key: timestamps
    private bool _isWriting;
    private bool _hasTaken;
    private (ulong Run, bool IsPromoted)? _asksAsMaster; // for which stream the kept state is to be asked for once more
    private long _triedAt;
    private TimeSpan _pause;

    /// <summary>Whether the last checkpoint that was to be taken is written. Read loop.</summary>
    public bool IsKept => feed.Shelf is null || (!_isLast && _taken is null && !_isWriting);

    /// <summary>What an earlier holder has stored.</summary>
    public KeptCheckpoint Earlier { get; } = new(feed);

    /// <summary>Whether an event has come since the last checkpoint. Notifications about the state's own key and the fallback storage do not count.</summary>
    public bool HasMoved { get; set; }

    /// <summary>When and where the first subscription to any class was confirmed, and the flags were looked at and set.</summary>
    private sealed record Beginning(DateTimeOffset At, EventPosition Position);

    /// <param name="Mark">A mark of the sink: behind everything that was passed on up to the position.</param>
    /// <param name="Office">In which time in office it was taken. What was passed on in an earlier one may have been handed over.</param>
    private sealed record PendingCheckpoint(ClockReading At, EventPosition Position, long Mark, int Office);

    /// <summary>Called when the wanted subscription is confirmed, and when the flags are settled. Under <see cref="FeedContext.Turn"/>, on any thread.</summary>
    public void Subscribed()
    {
        if (feed.Shelf is null || wanted() == EventClass.None) return;

        if (_beginning is null && flags.IsSettled && !feed.Hold.IsHeld)
        {
            _beginning = new Beginning(feed.Time.GetUtcNow(), feed.Progress.Published.Position);
        }

        _isSubscribed = true;
    }

    /// <summary>The last checkpoint of this run is to be taken soon: until it is, this program resigns from nothing. Any thread.</summary>
    public void BeginLast() => _isLast = true;

    /// <summary>Takes the last checkpoint of this run, whether one is due or not, before a command that is given later is answered. Any thread.</summary>
    public void TakeLast()
    {
        _isLast = true;
        commands.Send((_, sentAt) => Proven(sentAt), "PING");
        flags.Check(); // the other members wait for this one to resign
    }

    /// <summary>Completes when the last checkpoint that was taken is written, or if there is none. Any thread.</summary>
    public Task KeepAsync()
    {
        var stored = _stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flags.Check();
        commands.Send((_, _) => SayWhenKept(), "PING");
        return stored.Task;
    }

    /// <summary>Called when everything has been read that the node did before this moment.</summary>
    public void Proven(ClockReading at)
    {
        if (feed.Shelf is not { } shelf || !_isSubscribed || wanted() == EventClass.None || feed.Hold.IsHeld || PlaceIn(shelf) is not { } place)
        {
            return;
        }

        var member = feed.Group.Member;
        if (_taken?.Office != member.Office || !member.IsHolder || member.HasLeft) _taken = null;
        if (!member.IsHolder || member.HasLeft)
        {
            _isLast = false;
            SayWhenKept();
            return;
        }

        if (feed.Coverage.IsGapOpen || flags.IsInDoubt || shelf.IsInDoubt)
        {
            _taken = null; // it would hide a gap that is not fully declared yet
        }
        else if (place.IsOwed && shelf.Newest is { } newest)
        {
            DeclareLike(newest, place);
        }
        else if (_isLast ? feed.Group.Ended is not null : _taken is null && !feed.Group.Proposals.IsEnding && IsDue(place))
        {
            Take(at);
        }

        if (_taken is { } taken && !_isWriting && feed.Sink.IsSettled(taken.Mark) && flags.AreClearSince(taken.At)) Write(place, taken);
    }

    /// <summary>What is known of the key; null: nothing is kept, or see <see cref="PlaceIn"/>.</summary>
    private CheckpointRegistry.Place? Kept => feed.Shelf is { } shelf ? PlaceIn(shelf) : null;

    /// <summary>The key's state. Null if the node is in a cluster and its slots are not known yet.</summary>
    private CheckpointRegistry.Place? PlaceIn(CheckpointRegistry shelf)
    {
        var isCluster = feed.Board.Status.IsCluster;
        var tag = isCluster ? feed.StateTag?.Invoke() : null;
        if (tag is null && isCluster) return null;

        if (_place is null || tag != _tag) (_place, _tag) = (shelf.At(tag), tag);
        return _place;
    }

    private bool IsDue(CheckpointRegistry.Place place) =>
        (HasMoved || !_hasTaken) && !outlet.HasWaiting && (place.WrittenAt == 0 || feed.Time.GetElapsedTime(place.WrittenAt) >= Interval) && MayTry();

    private void Take(ClockReading at)
    {
        if (feed.Sink.Mark() is not { } mark) return;

        var (from, last) = feed.Group.Ended ?? (at, feed.Progress.Position); // at the end of the program, what came since then was not passed on
        _taken = new PendingCheckpoint(from, last, mark, feed.Group.Member.Office);
        (_hasTaken, HasMoved, _isLast) = (true, false, false);
    }

    /// <summary>Called when this program has subscribed: reads what the last holder has stored. Under <see cref="FeedContext.Turn"/>.</summary>
    public void AskForEarlier()
    {
        if (_isAsking || feed.AreSlotsAwaited()) return;
        if (_elsewhere is { At: var last } && feed.Time.GetElapsedTime(last) < Interval / 4) return;
        if (feed.Shelf is { } shelf && PlaceIn(shelf) is { } place)
        {
            _isAsking = true;
            commands.Send(
                (reply, _) =>
                {
                    _isAsking = false;
                    if (RedisErrors.IsPassing(reply) || IsMoving(reply)) return; // it is asked again soon
                    _mayNotRead = reply.IsError && reply.ErrorCode != "WRONGTYPE";
                    if (_mayNotRead) Refused(reply, "GET", place);
                    Earlier.Read(reply, place);
                },
                "GET",
                place.Key);
        }
        else
        {
            Earlier.None();
        }
    }

    private bool IsMoving(RedisAnswer reply)
    {
        if (!IsElsewhere(reply)) return false;

        var now = feed.Time.GetTimestamp();
        var since = _elsewhere?.Since ?? now;
        _elsewhere = (since, now);
        return feed.Time.GetElapsedTime(since, now) < LongestMove;
    }

    private static bool IsElsewhere(RedisAnswer reply) => reply.ErrorCode is "MOVED" or "ASK" or "TRYAGAIN" or "CLUSTERDOWN";

    /// <summary>Nobody was there: declares what came since the checkpoint that was read, if there was one.</summary>
    /// <param name="first">From where on this program has kept everything.</param>
    /// <param name="isUntilNow">Events are missing until now; else until the subscription, if this program has kept all of it.</param>
    /// <returns>False if there was none.</returns>
    public bool TryDeclareKept(EventPosition first, bool isUntilNow = false)
    {
        if (Earlier.Take() is not { } kept) return false;

        Declared(kept.Position);
        // What was pushed out of the ring came behind the subscription, so the gap reaches until now.
        var end = first.Count == 0 && !isUntilNow ? _beginning?.At : null;
        Declare(kept, new Beginning(end ?? feed.Time.GetUtcNow(), first));
        return true;
    }

    /// <summary>Nothing was kept of this master's stream. If it was of others, an earlier run has missed this one as well, and that is declared.</summary>
    public void MissedToo()
    {
        if (Kept is { KnowsNothing: true } place) place.IsOwed = !feed.CameLater;
    }

    /// <summary>Notes whether this program knows all of this master's stream that is not settled.</summary>
    public void Known(ulong run, bool isAll = true) => Kept?.Know(run, isAll);

    /// <summary>Notes that everything since this position lies in a gap that is declared.</summary>
    public void Declared(EventPosition last) => Kept?.Declared(last);

    /// <summary>
    /// The node has become a master, and this program holds its stream, or does so since then. Declares what nobody has heard of the old master, if an earlier run or holder
    /// has kept how far it came. A node that is busy is asked again.
    /// </summary>
    /// <param name="isPromoted">The node has just become a master. Else the holder before has done the same, unless what is kept is still of the old master.</param>
    public void AskAsMaster(ulong run, bool isPromoted)
    {
        _asksAsMaster = null;
        if (Kept is { } place && !(isPromoted && place.Knows(run))) AskAsMaster(run, isPromoted, place);
    }

    /// <summary>Asks again what the node was too busy to answer.</summary>
    public void AskAgainAsMaster()
    {
        if (_asksAsMaster is not var (run, isPromoted) || Kept is not { } place) return;

        _asksAsMaster = null;
        AskAsMaster(run, isPromoted, place);
    }

    private void AskAsMaster(ulong run, bool isPromoted, CheckpointRegistry.Place place) => commands.Send(
        (reply, _) =>
        {
            if (RedisErrors.IsPassing(reply))
            {
                _asksAsMaster = (run, isPromoted);
                return;
            }

            Earlier.Read(reply, place);
            var isNews = !feed.Hold.IsReplica && (isPromoted || Earlier.IsOfOther(run));
            if (isNews && !TryDeclareKept(feed.Progress.Position, isUntilNow: true) && isPromoted) MissedToo();
            Known(run);
        },
        "GET",
        place.Key);

    /// <summary>
    /// Declares a gap by the state of another node. In a cluster the node's slot may have moved meanwhile, or the node may be new. Time and marker
    /// are those of the other node, which is possible since markers are made of the clock.
    /// </summary>
    private void DeclareLike(Checkpoint other, CheckpointRegistry.Place place)
    {
        place.IsOwed = false;
        Declare(other with { Position = new EventPosition(feed.Progress.Position.RunId, other.Position.Marker, 0) }, null);
    }

    private void Declare(Checkpoint kept, Beginning? beginning)
    {
        var first = beginning ?? _beginning ?? new Beginning(feed.Time.GetUtcNow(), feed.Progress.Position);
        var detail = kept.Position.RunId == first.Position.RunId ? "keyevt did not run" : "keyevt did not run, and Redis has been started anew, or another node has taken its place";
        feed.Coverage.NotCovered(GapCause.NotRunning, detail, kept.At, kept.Position, first.At, first.Position);
    }

    private void Write(CheckpointRegistry.Place place, PendingCheckpoint taken)
    {
        (_taken, _isWriting, place.WrittenAt) = (null, true, feed.Time.GetTimestamp());
        var state = new Checkpoint(taken.Position, taken.At.Wall, feed.Shelf!.Writer, HasEnded: feed.Group.IsLastToEnd).ToString();
        commands.Send((reply, _) => OnWritten(reply, place), "SET", place.Key, state);
    }

    private void OnWritten(RedisAnswer reply, CheckpointRegistry.Place place)
    {
        _isWriting = false;
        if (reply.IsError)
        {
            HasMoved = true;
            Refused(reply, "SET", place);
            return;
        }

        if (_mayNotRead) commands.Send((answer, _) => OnReadAgain(answer, place), "GET", place.Key);
        else feed.Remedies.Set(FeedAspect.State, null);
        SayWhenKept();
    }

    /// <summary>What was refused once may be granted by now. It is too late for what is told, as this program has written meanwhile.</summary>
    private void OnReadAgain(RedisAnswer reply, CheckpointRegistry.Place place)
    {
        _mayNotRead = reply.IsError;
        if (_mayNotRead) Refused(reply, "GET", place);
        else feed.Remedies.Set(FeedAspect.State, null);
    }

    private void Refused(RedisAnswer reply, string command, CheckpointRegistry.Place place)
    {
        if (RedisErrors.IsPassing(reply) || IsElsewhere(reply) || reply.ErrorCode == "READONLY")
        {
            Pause(Interval);
            return;
        }

        Pause(feed.Options.RefusedInterval);
        var rights = reply.IsNoPermission ? $"grant +get +set ~{place.Key}*, or " : "";
        feed.Remedies.Set(FeedAspect.State, $"{command} {place.Key} is refused ({CleanText.Server(reply.Text)}): {rights}start with --state off; until then what is missed while keyevt does not run is not declared");
    }

    private void Pause(TimeSpan pause) => (_triedAt, _pause) = (feed.Time.GetTimestamp(), pause);

    private bool MayTry() => _pause == TimeSpan.Zero || feed.Time.GetElapsedTime(_triedAt) >= _pause;

    private void SayWhenKept()
    {
        if (_taken is null && !_isWriting) _stored?.TrySetResult();
    }
}
