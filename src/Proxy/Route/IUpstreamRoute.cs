using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>Where is the upstream of a session that begins now? Asked once a session; thread safe.</summary>
internal interface IUpstreamRoute
{
    /// <summary>The upstream in a text for people.</summary>
    string Name { get; }

    /// <summary>A place to connect to. Waits only as long as nothing is known of the nodes yet, at the start.</summary>
    /// <param name="failed">Places that this session has tried already: another one is wanted.</param>
    /// <returns>Null: there is none at the moment.</returns>
    /// <exception cref="OperationCanceledException">Nothing was known until then.</exception>
    ValueTask<UpstreamPlace?> FindAsync(IReadOnlyList<UpstreamPlace> failed, CancellationToken cancellationToken);

    /// <summary>All places have failed: returns when it is worth looking again.</summary>
    /// <returns>False, at once: this client is not to wait, but to be refused.</returns>
    ValueTask<bool> WaitAsync(CancellationToken cancellationToken);

    /// <summary>A session has lost its upstream, or did not reach it: whoever follows the nodes is to look.</summary>
    void Lost(UpstreamPlace place);
}

/// <summary>One place that an upstream is at.</summary>
/// <param name="Over">Cancelled when the upstream is elsewhere: sessions there end. Never for a place that cannot change.</param>
internal sealed record UpstreamPlace(TransportAddress Address, CancellationToken Over);
