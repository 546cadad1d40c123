namespace KeyEvt.Forwarder.Events;

/// <summary>What must delivery know when this program begins or ceases to deliver the events of a group? Any thread; must not wait.</summary>
public interface IHolderDuties
{
    /// <summary>Whether this program could deliver at this moment: its link to the broker is open, and the broker takes messages.</summary>
    bool IsBrokerThere { get; }

    /// <summary>
    /// Set when the fallback storage has refused a step, because the term that is kept beside it is larger. The timestamp of that, and that term.
    /// </summary>
    (long Timestamp, long Term)? Fenced { get; }

    /// <summary>From now on this program delivers what the sink receives, and uses the fallback storage.</summary>
    /// <param name="term">The number of its time in office. Whoever comes to the storage with a smaller one is refused.</param>
    void Hold(long term);

    /// <summary>
    /// This program no longer delivers. What the sink has received so far and is not settled is another's to deliver. The fallback storage is another's.
    /// </summary>
    void HandOver();
}
