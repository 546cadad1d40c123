namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are there, for one shape of upstream? Asked by the watcher only, one question at a time.</summary>
internal interface INodeFinder : IAsyncDisposable
{
    /// <summary>The nodes as they are now.</summary>
    /// <exception cref="IOException">Nobody could be asked, or nobody knows. The message is one line without secrets.</exception>
    Task<IReadOnlyList<TopologyNode>> FindAsync();

    /// <summary>Calls <paramref name="hint"/> at each announcement of a change, until it is cancelled. May do nothing.</summary>
    Task ListenAsync(Action<string> hint, CancellationToken stop);

    /// <summary>
    /// Why changes are not announced and are only found by polling, and what can be done about it. Null if nothing is wrong. May be read from any thread.
    /// </summary>
    string? Deafness => null;

    /// <summary>Whether it has become known that there is something to find, and nobody has been asked yet. May be read from any thread.</summary>
    bool IsAwaited => false;
}
