namespace KeyEvt.Forwarder.Fallback;

/// <summary>Why a step of a store failed: one line for people.</summary>
internal sealed class StoreException(string reason, Exception? inner = null) : Exception(reason, inner)
{
    /// <summary>The store has answered no: the step was not done, and will not be by itself.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>A refusal that says where else to ask: the next try may well succeed.</summary>
    public bool IsPassing { get; init; }
}
