using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>What do all feeds of a program share that is a member of a group?</summary>
/// <param name="NewDuties">Makes the duties of one feed.</param>
internal sealed record GroupMembership(GroupEnvelope Envelope, Func<IHolderDuties> NewDuties, IGroupConfig Config)
{
    /// <summary>When its members say something.</summary>
    public MemberTimes Times { get; init; } = new();
}
