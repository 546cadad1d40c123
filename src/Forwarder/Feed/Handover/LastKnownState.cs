using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What did this program know of the group's state before it lost it, and has somebody known that state all the time since?</summary>
internal sealed class LastKnownState
{
    private EventPosition _lostBehind;
    private StreamPlace _watermark;
    private long? _lostBehindNumber; // the highest number of the first subscription that was lost before the state was ever known; null: none was lost so

    /// <summary>Whether this program has known the state in an earlier subscription.</summary>
    public bool WasKnown { get; private set; }

    /// <summary>Whether it has also kept or passed on everything up to the loss of that subscription. Without a seat it has not.</summary>
    public bool WasInStep { get; private set; }

    /// <summary>Whether it delivered then.</summary>
    public bool WasDelivering { get; private set; }

    /// <summary>The origin of that state, see <see cref="GroupState.Origin"/>.</summary>
    public MessageId Origin { get; private set; }

    /// <summary>The watermark of that state; the beginning if none was known.</summary>
    public StreamPlace Watermark => _watermark;

    /// <summary>
    /// Whether somebody has known the state all the time since this program knew it last. If not, others may have begun anew without what this
    /// program had kept.
    /// </summary>
    public bool IsContinued { get; private set; } = true;

    /// <summary>If not <see cref="IsContinued"/>: the place behind which this program knows of no delivery; null: delivery goes on with it here.</summary>
    public EventPosition? Undelivered { get; private set; }

    /// <summary>What is known now may be forgotten.</summary>
    public void Remember(GroupState state, ulong runId, bool isDelivering, bool isInStep)
    {
        (WasKnown, WasInStep, WasDelivering) = (true, isInStep, isDelivering);
        (Origin, _watermark, _lostBehind) = (state.Origin, state.Watermark, new EventPosition(runId, state.SettledBefore.Marker, state.SettledBefore.Count));
    }

    /// <summary>A subscription was lost in which the state was not known.</summary>
    /// <param name="heard">The highest number of a message of that subscription, or its label.</param>
    public void LostUnknown(long heard)
    {
        if (!WasKnown) _lostBehindNumber ??= heard;
    }

    /// <summary>The state is known again, by others.</summary>
    /// <param name="hasLeft">Delivery has nothing of the stream.</param>
    public void Rejoin(MessageId origin, bool hasLeft)
    {
        // Who never knew the state cannot compare origins, but whoever began anew after its loss has not heard what it lost.
        IsContinued = WasKnown ? origin == default || origin == Origin : !(_lostBehindNumber < origin.Number);
        _lostBehindNumber = null;
        Undelivered = IsContinued || !WasKnown || (WasDelivering && !hasLeft) ? null : _lostBehind;
    }
}
