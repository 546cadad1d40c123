using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>Which event waits for the message that may follow it with its fields? At most one, copied out of its frame.</summary>
/// <remarks>
/// With the letters E and T on, Redis 8.8 publishes an event of a hash twice within one function (notifyKeyspaceEventImpl in notify.c): first as
/// keyevent, then as subkeyevent. On a connection that listens to both, nothing can come between the two. So the second message replaces the first.
/// Anything else that comes releases the first one without fields.
/// </remarks>
internal sealed class PendingFieldEvent
{
    private byte[] _bytes = [];
    private EventPosition _position;
    private int _database;
    private int _eventLength;
    private int _keyLength;

    public bool IsHolding { get; private set; }

    /// <summary>Whether the node was asked for an answer, which comes behind the message that may follow.</summary>
    public bool IsAsked { get; set; }

    public void Hold(in EventPosition position, in Notification notification)
    {
        (_position, _database, _eventLength, _keyLength) = (position, notification.Database, notification.Event.Length, notification.Key.Length);
        if (_bytes.Length < _eventLength + _keyLength || _bytes.Length > FrameReader.KeptScratch)
        {
            _bytes = new byte[Math.Max(256, _eventLength + _keyLength)];
        }

        notification.Event.CopyTo(_bytes);
        notification.Key.CopyTo(_bytes.AsSpan(_eventLength));
        (IsHolding, IsAsked) = (true, false);
    }

    /// <summary>Whether the notification says the same as the one that is held.</summary>
    public bool IsSame(in Notification notification) =>
        IsHolding && notification.Database == _database && notification.Event.SequenceEqual(Event) && notification.Key.SequenceEqual(Key);

    /// <summary>Stops holding the event and returns it.</summary>
    /// <param name="notification">A view of it, valid until the next <see cref="Hold"/>.</param>
    public EventPosition Release(out Notification notification)
    {
        IsHolding = false;
        notification = new Notification(_database, Event, Key, default, default);
        return _position;
    }

    private ReadOnlySpan<byte> Event => _bytes.AsSpan(0, _eventLength);

    private ReadOnlySpan<byte> Key => _bytes.AsSpan(_eventLength, _keyLength);
}
