using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>
/// How often is the node asked for something? As rarely as possible: what is asked shows in MONITOR. How often something is said to the group,
/// <see cref="Peers.MemberTimes"/> tells.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>events flow</term><description>a check of the flags with each beat, so that at most one beat may be lost with the flags</description></item>
/// <item><term>no event for a while</term><description>one each second</description></item>
/// <item><term>nothing is wanted</term><description>no checks, only the role, which also shows whether the connection works</description></item>
/// </list>
/// Each connection has one. Used by the beat. Only the two volatile flags are set by the read loop, and taken over by the next beat.
/// </remarks>
internal sealed class PollingIntervals(NodeFeedOptions options, TimeProvider time, Func<EventClass> wanted)
{
    private volatile bool _hasNews = true;
    private volatile bool _othersSet;

    /// <summary>Timestamps; null: never. Zero would not do: a timestamp counts from the start of the machine, and that may be a second ago.</summary>
    private long? _newsAt;
    private long? _othersSetAt;

    /// <summary>Whether an event has come since the last beat, other than those that this program causes itself.</summary>
    public bool HasNews
    {
        get => _hasNews;
        set => _hasNews = value;
    }

    /// <summary>Whether anything is wanted.</summary>
    public bool IsWanted => wanted() != EventClass.None;

    /// <summary>Time between two checks of the flags while something is wanted.</summary>
    public TimeSpan LookInterval => IsFlowing || IsWithin(options.QuietAfter * 5, _othersSetAt) ? options.MarkerInterval : options.QuietInterval;

    /// <summary>Time between two questions for the role.</summary>
    public TimeSpan RoleInterval => wanted() != EventClass.None ? options.RoleInterval
        : options.HasSuccessors ? TimeSpan.FromTicks(Math.Max(options.RoleInterval.Ticks, options.QuietInterval.Ticks))
        : options.IdleInterval;

    private bool IsFlowing => IsWithin(options.QuietAfter, _newsAt);

    /// <summary>Called when others have given CONFIG SET. Only frequent checks can tell one CONFIG SET from two. Read loop.</summary>
    public void OthersSet() => _othersSet = true;

    /// <summary>Called first at each beat.</summary>
    public void Beat()
    {
        var now = time.GetTimestamp();
        if (_hasNews) (_hasNews, _newsAt) = (false, now);
        if (_othersSet) (_othersSet, _othersSetAt) = (false, now);
    }

    private bool IsWithin(TimeSpan span, long? since) => since is { } at && time.GetElapsedTime(at) < span;
}
