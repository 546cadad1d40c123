namespace KeyEvt.Forwarder.Events;

/// <summary>What must delivery know when this program begins or ceases to deliver the events of a stream? Any thread; must not wait.</summary>
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
    /// This program no longer delivers the stream. What the sink has received of it so far and is not settled is another's to deliver. If this program delivers no other stream, the fallback
    /// storage is another's too.
    /// </summary>
    void HandOver();

    /// <summary>The feed has subscribed to a node. What it passes on from now on carries this run id.</summary>
    void Subscribed(ulong runId)
    {
    }

    /// <summary>
    /// The node has taken the place of another one. What this program delivers of the old node's stream belongs to the new one's from now on.
    /// </summary>
    void Inherit(IHolderDuties old)
    {
    }
}
