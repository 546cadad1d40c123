namespace KeyEvt.Proxy.Admin;

/// <summary>Is the running proxy ready? It listens, and the feeds of all masters are subscribed.</summary>
internal sealed class ProxyReadiness(Func<IReadOnlyList<string>> missingFeeds) : IReadiness
{
    private volatile bool _listening;

    /// <summary>Set once clients can connect; taken back when stopping begins.</summary>
    public bool Listening
    {
        get => _listening;
        set => _listening = value;
    }

    public IReadOnlyList<string> Missing() => Listening ? missingFeeds() : ["not listening: starting or stopping", .. missingFeeds()];
}
