using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What does a master leave to the node that takes its place? Its events that are not known to be settled, as one member has kept them.</summary>
/// <param name="Events">Null: none are kept.</param>
/// <param name="Passed">Delivery of this program has got all events up to here, and goes on with them; null: it has got none.</param>
/// <param name="Duties">Of the old master's stream.</param>
/// <param name="IsPassedOn">Whether this program delivered that stream.</param>
/// <param name="Unheard">Behind it events are missing that this program has not heard, or no longer keeps, and that are not known to be settled; null: none are.</param>
/// <param name="NotKept">Behind the place, delivery of this program got events that are not kept here. They are settled when the sink has settled the mark. Null: all are kept.</param>
internal sealed record Estate(NotificationRing? Events, StreamPlace? Passed, IHolderDuties Duties, bool IsPassedOn, EventPosition? Unheard = null, (EventPosition Behind, long Mark)? NotKept = null);
