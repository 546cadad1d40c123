using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Notifications;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>When may a master's notification be passed on? Where it may lose its place: when an answer that comes behind it still says "master".</summary>
/// <remarks>
/// A master that is demoted lives on, and repeats from that moment what its successor sends; nothing in its stream says so. So what it sends waits for the answer to a ROLE that is
/// asked behind it, one at a time: a round trip. In a cluster it also waits, when it is of a slot that has come from another node, until what that one has sent is passed on: order per key
/// holds across a slot's move. Used under <see cref="FeedContext.Turn"/>.
/// </remarks>
internal sealed class RoleConfirmGate
{
    /// <summary>More than this waits for no answer: the node has been silent or busy for long, and lost at the end is worse than doubled.</summary>
    private const int MaxWaiting = 16 * 1024 * 1024;

    private readonly FeedContext _feed;
    private readonly NodeLetters _letters;
    private readonly NotificationRing.Visitor _pass;
    private readonly NotificationRing _waiting = new(int.MaxValue);
    private bool _isOfOthersSlot;
    private volatile bool _waitsForOthers;

    /// <param name="letters">The node's: which class its events have.</param>
    public RoleConfirmGate(FeedContext feed, NodeLetters letters) => (_feed, _letters, _pass) = (feed, letters, Pass);

    /// <summary>Asks for the role, and so for the next <see cref="Confirm"/>.</summary>
    public Action AskToConfirm { get; set; } = static () => { };

    public bool HasWaiting => _waiting.Bytes > 0;

    public void Add(in EventPosition position, in Notification notification, long readAt)
    {
        _waiting.Add(position, notification.Database, notification.Event, notification.Key, notification.Fields, readAt);
        _isOfOthersSlot |= !_feed.Slots.Serves(notification.Key);
        if (_waiting.Bytes > MaxWaiting) PassAll();
    }

    /// <summary>Own markers have their place among what is remembered.</summary>
    public void AddMarker(ReadOnlySpan<byte> payload) => _waiting.AddMarker(payload);

    /// <summary>It is a master still: all that has been read is its own.</summary>
    public void Confirm()
    {
        if (HasWaiting && !MustWaitForOthers()) PassAll();
    }

    /// <summary>Nothing more will confirm it, or too much has waited.</summary>
    public void PassAll()
    {
        if (!HasWaiting) return;

        _waiting.Drain(_pass);
        _feed.Sink.EndOfBatch();
    }

    /// <summary>It is a replica by now: whose are these?</summary>
    public List<RecordedNotification> TakeDoubtful()
    {
        var doubtful = _waiting.Read().Where(one => !one.IsMarker).ToList();
        _waiting.Clear();
        _isOfOthersSlot = false;
        return doubtful;
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

    /// <summary>However it ends, the next answer passes what waits; a connection that is over has passed it already.</summary>
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
            _feed.Sink.Received(position, database, _letters.ClassOf(eventName), eventName, key, fields, readAt);
        }
        else
        {
            _feed.Echo?.AddMarker(marker);
        }
    }
}
