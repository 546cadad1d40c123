namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>
/// Does the broker have a queue for what is published on this link? It is proved when a first message was confirmed and had not come back. Until then
/// nothing is given up: a broker may be back before its queues are. One message at a time is tried, so that none overtakes another when its queue is
/// bound in this moment. What comes back stays in front. Where the policy would drop it, those behind it are looked through for one with another routing key,
/// as a template may make keys without a queue and keys with one; but no further than a window. Used by the publisher only.
/// </summary>
/// <param name="most">How many waiting events are looked through; 1: only the oldest is tried.</param>
internal sealed class RouteProof(int most)
{
    private readonly HashSet<string> _withoutQueue = new(StringComparer.Ordinal);
    private int _looked;
    private string? _tried;

    public bool IsProved { get; private set; }

    /// <summary>The routing key of what came back last, while nothing was routed; else null.</summary>
    public string? MissingKey { get; private set; }

    /// <summary>Whether another waiting event may be looked at before it is begun again with the oldest.</summary>
    public bool MayLookOn => _looked < most;

    /// <summary>Whether events behind the oldest were looked at since then.</summary>
    public bool HasLooked => _looked > 0;

    /// <summary>On a new link nothing is proved.</summary>
    public void BeginLink()
    {
        IsProved = false;
        MissingKey = null;
        BeginWithOldest();
    }

    public void BeginWithOldest()
    {
        _withoutQueue.Clear();
        (_looked, _tried) = (0, null);
    }

    /// <summary>Whether a message with this routing key is to be tried: none with the same one has just come back.</summary>
    public bool IsWorthTrying(string routingKey)
    {
        _looked++;
        if (_withoutQueue.Contains(routingKey))
            return false;

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
