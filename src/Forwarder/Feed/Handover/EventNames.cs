using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>
/// By which position do all members know an event that one of them has counted before it knew the state? Events are counted by a label from the
/// subscription on.
/// </summary>
internal sealed class EventNames
{
    /// <summary>How many events had come since the subscription, at each message that was heard while the state was not known.</summary>
    private readonly List<int> _heardAt = [];
    private Func<EventPosition, EventPosition?>? _names;
    private long _forgotten; // messages that were heard before the first of these

    /// <summary>The number by which events are counted until more is known.</summary>
    public long Label { get; private set; }

    public void Begin(long label)
    {
        ForgetMessages();
        (Label, _names) = (label, null);
    }

    /// <summary>A message was heard while the state was not known.</summary>
    /// <param name="count">How many events had come since the subscription.</param>
    public void Heard(int count)
    {
        _heardAt.Add(count);
        if (_heardAt.Count <= GroupState.MostHeard) return;

        _heardAt.RemoveAt(0);
        _forgotten++;
    }

    /// <summary>Whether the event was counted by the label.</summary>
    public bool IsLabelled(in EventPosition position) => position.Marker == Label;

    /// <returns>The position itself while nothing is known; null: the event is for others to keep.</returns>
    public EventPosition? Of(in EventPosition position) => _names is { } names && IsLabelled(position) ? names(position) : position;

    /// <summary>The state was told. Events before the question are for others to keep.</summary>
    public void Learn(LearnedState learned, ulong runId)
    {
        int[] heardAt = [.. _heardAt];
        var forgotten = _forgotten;
        _names = position =>
        {
            var index = heardAt.Length - 1;
            while (index >= 0 && heardAt[index] >= position.Count) index--;
            return index < 0 || index + forgotten < learned.From ? null : new EventPosition(runId, learned.Markers[(int)(index + forgotten - learned.From)], position.Count - heardAt[index]);
        };
        ForgetMessages();
    }

    /// <summary>Another member has begun anew, and delivers what was heard before.</summary>
    public void Drop()
    {
        ForgetMessages();
        _names = static _ => null;
    }

    /// <summary>This program has begun anew: what it has heard gets this number.</summary>
    public void Number(long marker)
    {
        ForgetMessages();
        _names = position => position with { Marker = marker };
    }

    private void ForgetMessages()
    {
        _heardAt.Clear();
        _forgotten = 0;
    }
}
