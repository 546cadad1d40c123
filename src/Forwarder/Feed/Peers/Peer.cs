using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>What did another member of the group last say of itself?</summary>
/// <param name="HeardAt">Timestamp of its last message of any kind.</param>
/// <param name="MarkedAt">Timestamp of its last mark; 0: none yet.</param>
/// <param name="Reach">See <see cref="GroupMessage.Mark"/>.</param>
/// <param name="IsBrokerThere">See <see cref="GroupMessage.Mark"/>.</param>
/// <param name="Classes">The classes of events that it hears.</param>
internal sealed record Peer(string Name, long HeardAt, long MarkedAt = 0, StreamPlace? Reach = null, bool IsBrokerThere = false, EventClass Classes = EventClass.None);
