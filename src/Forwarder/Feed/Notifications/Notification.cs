using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>What does one keyspace notification say? Views into the frame it was read from: gone when the frame is.</summary>
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

    /// <summary>The event's name, such as <c>expired</c>; never with a control character in it.</summary>
    public ReadOnlySpan<byte> Event { get; }

    /// <summary>The key, any bytes.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The pattern it was subscribed by (pmessage), empty for a plain message: two overlapping subscriptions deliver an event twice.</summary>
    public ReadOnlySpan<byte> Pattern { get; }

    /// <summary>The fields of the hash as the server lists them, see <see cref="FieldList"/>; empty where it does not say.</summary>
    public ReadOnlySpan<byte> Fields { get; }
}
