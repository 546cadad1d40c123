namespace KeyEvt.Forwarder.Group;

/// <summary>
/// Where in one node's stream is something? Places of one stream are in its order. With the node's run id a place is a position, see
/// <see cref="Events.EventPosition"/>.
/// </summary>
/// <param name="Marker">The number of the last group message before it, as <see cref="GroupState.Marker"/> counts them.</param>
/// <param name="Count">Number of notifications since then, this one included; 0 is the place of the message itself.</param>
internal readonly record struct StreamPlace(long Marker, int Count) : IComparable<StreamPlace>
{
    public int CompareTo(StreamPlace other) => (Marker, Count).CompareTo((other.Marker, other.Count));

    public static bool operator <(StreamPlace left, StreamPlace right) => left.CompareTo(right) < 0;

    public static bool operator <=(StreamPlace left, StreamPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >(StreamPlace left, StreamPlace right) => left.CompareTo(right) > 0;

    public static bool operator >=(StreamPlace left, StreamPlace right) => left.CompareTo(right) >= 0;
}
