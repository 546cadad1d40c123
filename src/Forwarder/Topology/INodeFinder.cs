namespace KeyEvt.Forwarder.Topology;

/// <summary>Who knows which nodes there are, of one shape of upstream? Asked by the watcher only, one question at a time.</summary>
internal interface INodeFinder : IAsyncDisposable
{
    /// <summary>The nodes as they are now.</summary>
    /// <exception cref="IOException">Nobody could be asked, or nobody knows; one line, without secrets.</exception>
    Task<IReadOnlyList<TopologyNode>> FindAsync();

    /// <summary>Calls <paramref name="hint"/> whenever somebody tells of a change, until stopped; may do nothing.</summary>
    Task ListenAsync(Action<string> hint, CancellationToken stop);

    /// <summary>Why changes are not told of but found by looking, and what is to be done about it; null: nothing is wrong with that.</summary>
    string? Deafness => null;
}
