using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Until when has this program heard a node as a master?</summary>
/// <param name="End">
/// When the node was certainly still a master, and the last position, if it said later that it is a replica. Null: it has not said so. Then it is a master, or the loss of its
/// connection is a gap of its own.
/// </param>
/// <param name="ReplicaAt">If it has said so: when it was asked, the first time.</param>
internal sealed record Mastership((ClockReading At, EventPosition Last)? End, ClockReading ReplicaAt = default)
{
    /// <summary>The node says that it is a master.</summary>
    public static Mastership Current { get; } = new((ValueTuple<ClockReading, EventPosition>?)null);
}
