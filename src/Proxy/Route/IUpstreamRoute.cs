using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>Where is the upstream of a session that begins at this moment? Asked once for each session, and again if a place fails; thread safe.</summary>
internal interface IUpstreamRoute
{
    /// <summary>The upstream's name in texts for people.</summary>
    string Name { get; }

    /// <summary>A place to connect to. It waits only while nothing is known of the nodes yet, at the start.</summary>
    /// <param name="failed">Places that this session has already tried without success. Another one is wanted.</param>
    /// <returns>Null: there is no place at the moment.</returns>
    /// <exception cref="OperationCanceledException">Cancelled while nothing was known of the nodes.</exception>
    ValueTask<UpstreamPlace?> FindAsync(IReadOnlyList<UpstreamPlace> failed, CancellationToken cancellationToken);

    /// <summary>Called when all places have failed. Returns when it is worth looking again.</summary>
    /// <returns>False, at once: the client is to be refused and not to wait.</returns>
    ValueTask<bool> WaitAsync(CancellationToken cancellationToken);

    /// <summary>A session has lost its upstream, or could not connect to it. The topology should look at the nodes.</summary>
    void Lost(UpstreamPlace place);
}

/// <summary>One place where an upstream is.</summary>
/// <param name="Over">Cancelled when the upstream has moved elsewhere; sessions at this place then end. Never cancelled for a place that cannot change.</param>
internal sealed record UpstreamPlace(TransportAddress Address, CancellationToken Over);
