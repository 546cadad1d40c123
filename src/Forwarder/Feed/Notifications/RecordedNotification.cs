using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>What is remembered of one frame of a node's stream? A notification, or a marker if <see cref="Marker"/> is not empty.</summary>
internal readonly record struct RecordedNotification(
    EventPosition Position, int Database, ReadOnlyMemory<byte> Event, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Fields, long ReadAt, ReadOnlyMemory<byte> Marker)
{
    public bool IsMarker => !Marker.IsEmpty;
}
