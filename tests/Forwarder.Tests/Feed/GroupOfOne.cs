using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>The group of a program alone. It waits for no answer of others, so it delivers as soon as its own messages have come back.</summary>
internal sealed class GroupOfOne
{
    private readonly FixedConfig _config = new();

    /// <param name="look">How often it is looked whether something is to be said to the group; null: as usual.</param>
    /// <param name="quiet">How often it marks without events; null: each time that it looks.</param>
    public GroupOfOne(TimeSpan? look = null, TimeSpan? quiet = null)
    {
        var times = new MemberTimes { Answer = TimeSpan.Zero, AnswerIfYoung = TimeSpan.Zero, ProbeGrace = TimeSpan.Zero };
        if (look is { } interval) times = times with { Look = interval, LookWhileJoining = interval, Quiet = quiet ?? interval };
        Membership = new GroupMembership(new GroupEnvelope("one", new MessageSeal(null)), () => Duties, _config) { Times = times };
    }

    public GroupMembership Membership { get; }

    public RecordingDuties Duties { get; } = new();

    /// <summary>The configuration wants these classes. To be called before the feeds are told.</summary>
    public void Want(EventClass classes) => _config.Classes = _config.FormerClasses = classes;
}
