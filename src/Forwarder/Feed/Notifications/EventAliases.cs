using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>By which position is an event of a promoted node forwarded that its old master has sent too?</summary>
/// <remarks>
/// What the old master sent last may be its own, or may not: the members of a group ask at different moments whether it is still a master. One of them may pass it on as the old
/// master's, while the holder of the promoted node takes it for new. Then both forward it by its position in the old master's stream, and a consumer sees one id twice. Used under
/// the lock of the feed.
/// </remarks>
internal sealed class EventAliases
{
    private readonly Dictionary<EventPosition, EventPosition> _names = [];

    /// <summary>Notes the events of a promotion, in place of those of the one before.</summary>
    /// <param name="fresh">What the promoted node has sent, and is taken for new.</param>
    /// <param name="doubtful">What its old master sent last, with the positions that all members know.</param>
    /// <param name="nameOf">For events of the promoted node.</param>
    public void Note(IReadOnlyList<RecordedNotification> fresh, IReadOnlyList<RecordedNotification> doubtful, PositionName nameOf)
    {
        _names.Clear();
        foreach (var (one, other) in PromotionOverlap.Match(fresh, doubtful))
        {
            if (other is { } same && nameOf(one.Position) is { } name) _names[name] = same.Position;
        }
    }

    /// <returns>The position itself if the event has no other.</returns>
    public EventPosition Of(in EventPosition position) => _names.Count > 0 && _names.TryGetValue(position, out var other) ? other : position;
}
