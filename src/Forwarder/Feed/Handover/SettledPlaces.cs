using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>Up to which place of the stream is everything that this program has passed on settled?</summary>
/// <remarks>Notes a place together with a mark of the sink, and asks the sink later. Used under the lock of the feed.</remarks>
internal sealed class SettledPlaces(IEventSink sink)
{
    /// <summary>How many places are remembered. If more come, the newest takes the place of the one before it.</summary>
    private const int Most = 256;

    private readonly List<(StreamPlace Place, long Mark)> _noted = [];

    /// <summary>Everything up to here is settled.</summary>
    public StreamPlace Settled { get; private set; }

    /// <summary>Whether all that was noted is settled.</summary>
    public bool IsComplete => _noted.Count == 0;

    /// <summary>Begins anew at a place up to which everything is settled.</summary>
    public void Begin(StreamPlace settled)
    {
        _noted.Clear();
        Settled = settled;
    }

    /// <summary>Notes that everything up to this place has been passed on. Does nothing if the sink takes no more.</summary>
    public void Note(StreamPlace place)
    {
        if (place <= (_noted.Count > 0 ? _noted[^1].Place : Settled) || sink.Mark() is not { } mark) return;

        if (_noted.Count == Most) _noted.RemoveAt(Most - 1);
        _noted.Add((place, mark));
    }

    /// <summary>Takes in what has been settled meanwhile.</summary>
    public void Advance()
    {
        var count = 0;
        while (count < _noted.Count && sink.IsSettled(_noted[count].Mark)) count++;
        if (count == 0) return;

        Settled = _noted[count - 1].Place;
        _noted.RemoveRange(0, count);
    }
}
