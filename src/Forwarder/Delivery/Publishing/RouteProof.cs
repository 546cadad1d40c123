namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>
/// Does the broker have a queue for what is published on this link? That is proved when a first message is confirmed without having come back.
/// </summary>
/// <remarks>
/// <para>Until then no event is dropped as unroutable: a broker may be back before its queues are.</para>
/// <para>One message at a time is tried, so that none overtakes another whose queue is bound just then. A message that comes back is tried again first.</para>
/// <para>
/// A routing key template may make some keys with a queue and some without. Where unroutable events are dropped, one key without a queue must not stop all others. So events
/// behind the oldest are searched for one with another key, up to a window of them.
/// </para>
/// <para>Used by the publisher only. Reports read <see cref="MissingKey"/> from other threads, as it is.</para>
/// </remarks>
/// <param name="most">How many waiting events are searched; 1: only the oldest is tried.</param>
internal sealed class RouteProof(int most)
{
    private readonly HashSet<string> _withoutQueue = new(StringComparer.Ordinal);
    private int _looked;     // events looked at since the oldest one
    private string? _tried;  // the routing key of the message that is tried now

    public bool IsProved { get; private set; }

    /// <summary>The routing key of the message that came back last, while none was routed; else null.</summary>
    public string? MissingKey { get; private set; }

    /// <summary>Whether another waiting event may be looked at before the search starts again with the oldest.</summary>
    public bool MayLookOn => _looked < most;

    /// <summary>Whether any event was looked at since the search started.</summary>
    public bool HasLooked => _looked > 0;

    /// <summary>On a new link nothing is proved.</summary>
    public void BeginLink()
    {
        IsProved = false;
        MissingKey = null;
        BeginWithOldest();
    }

    /// <summary>Starts the search again, with the oldest event.</summary>
    public void BeginWithOldest()
    {
        _withoutQueue.Clear();
        (_looked, _tried) = (0, null);
    }

    /// <summary>Whether a message with this routing key is to be tried: none with the same key has come back in this search.</summary>
    public bool IsWorthTrying(string routingKey)
    {
        _looked++;
        if (_withoutQueue.Contains(routingKey)) return false;

        _tried = routingKey;
        return true;
    }

    public void CameBack()
    {
        MissingKey = _tried ?? "";
        _withoutQueue.Add(MissingKey);
    }

    public void Routed() => (IsProved, MissingKey) = (true, null);
}
