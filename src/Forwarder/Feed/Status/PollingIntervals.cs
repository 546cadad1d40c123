using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>How often is the node asked for something? As rarely as what depends on it allows: what is asked shows in MONITOR, and markers at other subscribers and replicas too.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>events flow</term><description>a marker and a look at the flags with each beat: what may be lost with the connection, or with the flags, is at most a beat long</description></item>
/// <item><term>no event for a while</term><description>one a second: a dead connection is noticed within 5 seconds all the same</description></item>
/// <item><term>nothing is wanted</term><description>no markers and no looks, only the role, which tells too whether the connection lives</description></item>
/// </list>
/// One a connection. Used by the beat; <see cref="HasNews"/> is set by the read loop.
/// </remarks>
internal sealed class PollingIntervals(NodeFeedOptions options, TimeProvider time, Func<EventClass> wanted)
{
    private volatile bool _hasNews = true;
    private volatile bool _othersSet;
    private long _newsAt;
    private long _othersSetAt;
    private long _markedAt;

    /// <summary>An event has come since the last beat, other than those that this program makes itself.</summary>
    public bool HasNews
    {
        get => _hasNews;
        set => _hasNews = value;
    }

    public bool IsWanted => wanted() != EventClass.None;

    /// <summary>Time between two looks at the flags while something is wanted.</summary>
    public TimeSpan LookInterval => IsFlowing || (_othersSetAt != 0 && time.GetElapsedTime(_othersSetAt) < options.QuietAfter * 5) ? options.MarkerInterval : options.QuietInterval;

    /// <summary>Time between two questions for the role.</summary>
    public TimeSpan RoleInterval => IsWanted ? options.RoleInterval
        : options.HasSuccessors ? TimeSpan.FromTicks(Math.Max(options.RoleInterval.Ticks, options.QuietInterval.Ticks))
        : options.IdleInterval;

    private bool IsFlowing => _newsAt != 0 && time.GetElapsedTime(_newsAt) < options.QuietAfter;

    /// <summary>Others give CONFIG SET: only who looks often can tell one from two. Read loop.</summary>
    public void OthersSet() => _othersSet = true;

    /// <summary>Each beat, first.</summary>
    public void Beat()
    {
        var now = time.GetTimestamp();
        if (_hasNews) (_hasNews, _newsAt) = (false, now);
        if (_othersSet) (_othersSet, _othersSetAt) = (false, now);
    }

    /// <summary>While something is wanted: whether a marker is due with this beat. Then it counts as sent.</summary>
    public bool TakeMarker(TimeSpan slack)
    {
        var interval = IsFlowing ? options.MarkerInterval : options.QuietInterval;
        if (_markedAt != 0 && time.GetElapsedTime(_markedAt) + slack < interval) return false;

        _markedAt = time.GetTimestamp();
        return true;
    }
}
