using KeyEvt.Forwarder.Feed.Status;

namespace KeyEvt.Forwarder.Membership;

/// <summary>
/// Has a feed lost its node since the last call? Remembers the last known state of each member. Used by the loop of <see cref="FeedSet"/> only.
/// </summary>
internal sealed class FeedStateChanges
{
    private readonly Dictionary<string, (FeedState State, long Reconnects)> _seen = [];

    /// <summary>Whether a subscribed feed has left that state, or has reconnected, since the last call.</summary>
    public bool Any(IReadOnlyList<FeedMember> members)
    {
        var isAny = false;
        foreach (var member in members)
        {
            var now = (member.Feed.Status.State, member.Feed.Status.Reconnects);
            // The count is compared too: a connection that is lost and opened again at once may never be seen down.
            isAny |= _seen.TryGetValue(member.Node.Id, out var before)
                && (before.Reconnects != now.Reconnects || (before.State is FeedState.Subscribed or FeedState.HeldBack && before.State != now.State));
            _seen[member.Node.Id] = now;
        }

        return isAny;
    }
}
