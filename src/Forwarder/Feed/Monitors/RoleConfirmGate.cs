using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Notifications;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>
/// When may a master's notification be passed on? If the node may be demoted: when an answer that comes behind the notification still says "master".
/// </summary>
/// <remarks>
/// A master that is demoted goes on running, and from that moment repeats what its successor sends. Nothing in its stream says so. So its events wait
/// for the answer to a ROLE that is asked behind them, one at a time: a round trip. In a cluster, events of a slot that has come from another node
/// also wait until that node's events are passed on, so that the order per key holds when a slot moves. Used under <see cref="FeedContext.Turn"/>.
/// </remarks>
internal sealed class RoleConfirmGate
{
    /// <summary>
    /// If more bytes than this wait, they are passed on without an answer. The node has been silent or busy for long, and losing events is worse than
    /// passing them on twice.
    /// </summary>
    private const int MaxWaiting = 16 * 1024 * 1024;

    private readonly FeedContext _feed;
    private readonly NodeLetters _letters;
    private readonly NotificationRing.Visitor _pass;
    private readonly NotificationRing _waiting = new(int.MaxValue);

    /// <summary>Whether an event waits whose slot the node is not known to serve. Under <see cref="FeedContext.Turn"/>.</summary>
    private bool _isOfOthersSlot;

    /// <summary>Whether a task waits for the other nodes. Set under <see cref="FeedContext.Turn"/>; cleared by that task without it.</summary>
    private volatile bool _waitsForOthers;

    /// <param name="letters">The node's letters, which tell the class of its events.</param>
    public RoleConfirmGate(FeedContext feed, NodeLetters letters) => (_feed, _letters, _pass) = (feed, letters, Pass);

    /// <summary>Asks for the role; the answer leads to the next <see cref="Confirm"/>.</summary>
    public Action AskToConfirm { get; set; } = static () => { };

    /// <summary>Decides which events this program passes on. Set before the first event comes.</summary>
    public GroupMonitor Group { get; set; } = null!;

    public bool HasWaiting => _waiting.Bytes != 0;

    public void Add(in EventPosition position, in Notification notification, long readAt)
    {
        _waiting.Add(position, notification.Database, notification.Event, notification.Key, notification.Fields, readAt);
        _isOfOthersSlot |= !_feed.Slots.Serves(notification.Key);
        if (_waiting.Bytes > MaxWaiting) PassAll();
    }

    /// <summary>Adds one of our own markers at its position among what is remembered.</summary>
    public void AddMarker(ReadOnlySpan<byte> payload) => _waiting.AddMarker(payload);

    /// <summary>Called when the node is still a master: everything that has been read is its own.</summary>
    public void Confirm()
    {
        if (HasWaiting && !MustWaitForOthers()) PassAll();
    }

    /// <summary>Passes on everything that waits, because no answer will come or too much waits.</summary>
    public void PassAll()
    {
        if (!HasWaiting) return;

        _waiting.Drain(_pass);
        Group.NoteProgress();
        _feed.Sink.EndOfBatch();
    }

    /// <summary>Called when the node is a replica: removes and returns what waits, since it is unknown whose events these are.</summary>
    public List<RecordedNotification> TakeDoubtful()
    {
        var doubtful = _waiting.Read().Where(one => !one.IsMarker).ToList();
        _waiting.Clear();
        _isOfOthersSlot = false;
        return doubtful;
    }

    /// <summary>Keeps events of a promoted node until <see cref="PassAll"/>: what the old master has left comes first, and until then they are not settled.</summary>
    public void Wait(IEnumerable<RecordedNotification> fresh)
    {
        foreach (var one in fresh) _waiting.Add(one.Position, one.Database, one.Event.Span, one.Key.Span, one.Fields.Span, one.ReadAt);
    }

    public void PassOn(IEnumerable<RecordedNotification> notifications)
    {
        var count = 0;
        foreach (var one in notifications)
        {
            Pass(one.Position, one.Database, one.Event.Span, one.Key.Span, one.Fields.Span, one.ReadAt, default);
            count++;
        }

        if (count > 0) _feed.Sink.EndOfBatch();
    }

    private bool MustWaitForOthers()
    {
        if (_waitsForOthers || _feed.Slots.OthersFirst is not { } othersFirst) return _waitsForOthers;

        var hasGained = _feed.Slots.TakeGained();
        if (!hasGained && !_isOfOthersSlot) return false;

        (_isOfOthersSlot, _waitsForOthers) = (false, true);
        _feed.Tasks.Run("waiting for what other nodes sent of a slot", _feed.Options.NeighbourDeadline, end => WaitForOthersAsync(othersFirst, end));
        return true;
    }

    /// <summary>
    /// Waits for the other nodes. However that ends, the next answer passes on what waits. If the connection has ended, that was done before.
    /// </summary>
    private async Task WaitForOthersAsync(Func<Task> othersFirst, CancellationToken end)
    {
        try
        {
            await othersFirst().WaitAsync(end).ConfigureAwait(false);
        }
        finally
        {
            _waitsForOthers = false;
            AskToConfirm();
        }
    }

    private void Pass(
        in EventPosition position, int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long readAt, ReadOnlySpan<byte> marker)
    {
        if (marker.IsEmpty)
        {
            _feed.Echo?.Add(position, database, eventName, key, fields, readAt);
            var (own, eventClass) = (position, _letters.ClassOf(eventName));
            if (!Group.KeepWaited(ref own, eventClass, new Notification(database, eventName, key, fields, default), readAt)) return;

            var name = _feed.Aliases.Of(own);
            if (Group.IsBeforeChange(own)) _feed.Sink.ReceivedBefore(name, database, eventClass, eventName, key, fields, readAt);
            else _feed.Sink.Received(name, database, eventClass, eventName, key, fields, readAt);
        }
        else
        {
            _feed.Echo?.AddMarker(marker);
        }
    }
}
