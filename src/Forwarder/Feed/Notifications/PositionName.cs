using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>By which position do all members of a group know an event? Null: it has none that all know.</summary>
internal delegate EventPosition? PositionName(in EventPosition position);
