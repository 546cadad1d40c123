namespace KeyEvt.Forwarder.Config;

/// <summary>Which way do events go at the moment?</summary>
public enum DeliveryState
{
    /// <summary>Memory to broker. Also before the first event, when nothing is connected yet.</summary>
    Live,

    /// <summary>The broker cannot take them: memory to fallback storage.</summary>
    Storing,

    /// <summary>Fallback storage to broker, oldest first; new events wait behind it.</summary>
    Draining,

    /// <summary>The disconnect command was given: events are neither sent nor stored.</summary>
    Stopped,
}
