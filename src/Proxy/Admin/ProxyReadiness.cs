namespace KeyEvt.Proxy.Admin;

/// <summary>Is the running proxy ready? It is if it listens, in a cluster for each node too, and the feeds of all masters are subscribed.</summary>
/// <param name="missingParts">Returns what is missing of node ports and feeds.</param>
/// <param name="notes">Returns the notes of the feeds.</param>
internal sealed class ProxyReadiness(Func<IReadOnlyList<string>> missingParts, Func<IReadOnlyList<string>> notes) : IReadiness
{
    /// <summary>Written by the thread that starts and stops the program; read by the admin pages.</summary>
    private volatile bool _listening;

    /// <summary>Whether clients can connect. Set at the start, and cleared when stopping begins.</summary>
    public bool Listening
    {
        get => _listening;
        set => _listening = value;
    }

    public IReadOnlyList<string> Missing() => Listening ? missingParts() : ["not listening: starting or stopping", .. missingParts()];

    public IReadOnlyList<string> Notes() => notes();
}
