namespace KeyEvt.Proxy.Admin;

/// <summary>Is the running proxy ready? It listens, for each node of a cluster too, and the feeds of all masters are subscribed.</summary>
/// <param name="missingParts">Ports of nodes, and feeds.</param>
/// <param name="notes">Of the feeds.</param>
internal sealed class ProxyReadiness(Func<IReadOnlyList<string>> missingParts, Func<IReadOnlyList<string>> notes) : IReadiness
{
    private volatile bool _listening;

    /// <summary>Set once clients can connect; taken back when stopping begins.</summary>
    public bool Listening
    {
        get => _listening;
        set => _listening = value;
    }

    public IReadOnlyList<string> Missing() => Listening ? missingParts() : ["not listening: starting or stopping", .. missingParts()];

    public IReadOnlyList<string> Notes() => notes();
}
