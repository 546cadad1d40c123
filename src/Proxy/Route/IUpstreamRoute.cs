using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>Where is the upstream of a session that begins now? Asked once a session; thread safe.</summary>
internal interface IUpstreamRoute
{
    /// <summary>The upstream in a text for people.</summary>
    string Name { get; }

    /// <summary>Waits while no place is known.</summary>
    /// <param name="not">A place that has just failed: waits for another one. Null: any.</param>
    /// <exception cref="OperationCanceledException">There was none until then.</exception>
    ValueTask<UpstreamPlace> FindAsync(UpstreamPlace? not, CancellationToken cancellationToken);

    /// <summary>Whether waiting for another place makes sense.</summary>
    bool MayMove { get; }

    /// <summary>A session has lost its upstream, or did not reach it: whoever follows the nodes is to look.</summary>
    void Lost(UpstreamPlace place);
}

/// <summary>One place that an upstream is at.</summary>
/// <param name="Over">Cancelled when the upstream is elsewhere: sessions there end. Never for a place that cannot change.</param>
internal sealed record UpstreamPlace(TransportAddress Address, CancellationToken Over);
