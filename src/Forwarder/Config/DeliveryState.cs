namespace KeyEvt.Forwarder.Config;

/// <summary>Between which places do events move at the moment?</summary>
public enum DeliveryState
{
    /// <summary>From memory to the broker. Also the state before the first event, when nothing is connected yet.</summary>
    Live,

    /// <summary>The broker cannot accept events: from memory to the fallback storage.</summary>
    Storing,

    /// <summary>From the fallback storage to the broker, oldest first. New events wait behind the stored ones.</summary>
    Draining,

    /// <summary>The disconnect command was given: events are neither sent nor stored.</summary>
    Stopped,
}
