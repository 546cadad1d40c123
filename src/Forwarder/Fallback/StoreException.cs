namespace KeyEvt.Forwarder.Fallback;

/// <summary>Why did a step of a store fail? The text is one line for people.</summary>
internal sealed class StoreException(string reason, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>The store refused: the step was not done, and another try will not succeed by itself.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>The store refused and said that the data is on another node, or that it is busy for a while. The next try may well succeed.</summary>
    public bool IsPassing { get; init; }

    /// <summary>The store refused because another member of the group has this term, which is higher than that of the caller; null: for another reason.</summary>
    public long? FencedBy { get; init; }
}
