using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What do all feeds of a program share that is a member of a group?</summary>
internal sealed record GroupMembership(GroupEnvelope Envelope, IHolderDuties Duties, IGroupConfig Config);
