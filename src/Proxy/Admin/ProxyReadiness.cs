using KeyEvt.Forwarder.Feed;

namespace KeyEvt.Proxy.Admin;

/// <summary>Is the running proxy ready? It listens, the upstream has answered its feed, and the feed is subscribed.</summary>
internal sealed class ProxyReadiness(Func<NodeFeedStatus> feed) : IReadiness
{
    private volatile bool _listening;

    /// <summary>Set once clients can connect; taken back when stopping begins.</summary>
    public bool Listening
    {
        get => _listening;
        set => _listening = value;
    }

    public IReadOnlyList<string> Missing()
    {
        var missing = new List<string>();
        if (!Listening) missing.Add("not listening: starting or stopping");
        var status = feed();
        string? fault = status.State switch
        {
            FeedState.Subscribed or FeedState.HeldBack => null, // a replica's events are held back on purpose, its clients are served
            FeedState.Connecting => "the feed is connecting to the upstream",
            FeedState.Down => "the upstream does not answer the feed",
            _ => "the feed has ended",
        };
        if (fault is not null) missing.Add(fault + (status.LastError is { } error ? $": {error}" : "") + (status.RemedyText is { } remedy ? $" ({remedy})" : ""));
        return missing;
    }
}
