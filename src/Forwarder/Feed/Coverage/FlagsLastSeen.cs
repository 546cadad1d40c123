using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>
/// When were the needed flags last seen set? Shared by the connections of a feed, since flags may be taken away just before a connection is lost.
/// Used under <see cref="FeedContext.Turn"/>.
/// </summary>
internal sealed class FlagsLastSeen
{
    /// <summary>The classes whose flags were seen; None before the first look.</summary>
    public EventClass Good { get; private set; }

    public ClockReading At { get; private set; }

    public EventPosition Position { get; private set; }

    /// <summary>The process in which they were seen.</summary>
    public string RunId { get; private set; } = "";

    /// <summary>Whether it is declared already that they have been missing since.</summary>
    public bool IsLossDeclared { get; set; }

    /// <summary>Watches for CONFIG SETs of others between two checks.</summary>
    public ConfigSetWatch Sets { get; } = new();

    public void Seen(EventClass good, ClockReading at, EventPosition position, string runId) =>
        (Good, At, Position, RunId, IsLossDeclared) = (good, at, position, runId, false);

    /// <summary>Notes that the flags of these classes are set now too. Those from before were not looked at.</summary>
    public void Widen(EventClass good) => Good |= good;

    /// <summary>Sets the position if there is none: the first connection checks the flags before its stream has a position.</summary>
    public void Begin(EventPosition position)
    {
        if (Position == default) Position = position;
    }
}
