using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>What does one keyspace notification say? All properties are views into the frame, and invalid when the frame is gone.</summary>
public readonly ref struct Notification
{
    internal Notification(int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> fields)
    {
        Database = database;
        Event = eventName;
        Key = key;
        Pattern = pattern;
        Fields = fields;
    }

    public int Database { get; }

    /// <summary>The event's name, such as <c>expired</c>. It contains no control character.</summary>
    public ReadOnlySpan<byte> Event { get; }

    /// <summary>The key; may contain any bytes.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The subscription's pattern (pmessage); empty for a plain message. Overlapping subscriptions deliver an event twice.</summary>
    public ReadOnlySpan<byte> Pattern { get; }

    /// <summary>The fields of the hash as the server lists them, see <see cref="FieldList"/>; empty if the server does not tell.</summary>
    public ReadOnlySpan<byte> Fields { get; }
}
