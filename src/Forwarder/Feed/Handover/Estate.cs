using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What does a master leave to the node that takes its place? Its events that are not known to be settled, as one member has kept them.</summary>
/// <param name="Events">Null: none are kept.</param>
/// <param name="Passed">Delivery of this program has got all events up to here, and goes on with them; null: it has got none.</param>
/// <param name="Duties">Of the old master's stream.</param>
/// <param name="IsOwn">Whether this program delivered that stream, so that nobody else need have it.</param>
/// <param name="Unheard">Behind it events are missing that this program has not heard, or no longer keeps, and that are not known to be settled; null: none are.</param>
/// <param name="NotKept">Behind it, delivery of this program got events that are not kept here; null: all are kept.</param>
/// <param name="Mark">What delivery of this program has got is settled when the sink has settled this mark; null: it has got nothing, or had to give it up.</param>
internal sealed record Estate(
    NotificationRing? Events, StreamPlace? Passed, IHolderDuties Duties, bool IsOwn, EventPosition? Unheard = null, EventPosition? NotKept = null, long? Mark = null)
{
    /// <summary>This program has to deliver it, and does not: another member holds the new master's stream.</summary>
    public bool IsOwed => IsOwn && Mark is null && (Events is { Count: > 0 } || Unheard is not null);
}
