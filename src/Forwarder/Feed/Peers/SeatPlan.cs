using KeyEvt.Forwarder.Feed.Handover;
namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>
/// Does this member listen to the events, or only to the group? So many members have a seat and listen; more would cost Redis and bring nothing. Who is
/// first by name takes a free seat, who is last gives up one too many. The holder keeps its seat.
/// </summary>
/// <remarks>A new member listens at once, so that nothing is missed if it is the only one. Used under the lock of the feed.</remarks>
internal sealed class SeatPlan(StreamMember member, PeerTable peers, int seats, TimeProvider time)
{
    /// <summary>How long there must be a seat too few or too many.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private long? _changeDueSince;

    /// <summary>Looks whether this member should take or give up a seat.</summary>
    /// <param name="isAlone">Nobody has told the state of the group for long.</param>
    public bool ShouldHave(bool hasSeat, bool isAlone)
    {
        if (ShouldHaveNow(hasSeat, isAlone) == hasSeat)
        {
            _changeDueSince = null;
            return hasSeat;
        }

        var now = time.GetTimestamp();
        _changeDueSince ??= now;
        if (!isAlone && time.GetElapsedTime(_changeDueSince.Value, now) < Settle) return hasSeat;

        _changeDueSince = null;
        return !hasSeat;
    }

    private bool ShouldHaveNow(bool hasSeat, bool isAlone)
    {
        if (!member.IsKnown) return hasSeat || isAlone;
        if (member.IsHolder) return true;

        var seated = peers.There.Where(static peer => peer.Reach is not null).ToList();
        if (hasSeat)
        {
            var others = seated.Count(peer => peer.Name != member.Holder && string.CompareOrdinal(peer.Name, member.Name) < 0);
            var holder = member.Holder is null ? 0 : 1;
            return seated.Count + 1 <= seats || others + holder < seats;
        }

        var free = seats - seated.Count;
        return peers.There.Count(peer => peer.Reach is null && string.CompareOrdinal(peer.Name, member.Name) < 0) < free;
    }
}
