namespace KeyEvt.Simulation.Redis;

/// <summary>What does a node know after a restart?</summary>
internal enum NodePersistence
{
    /// <summary>Nothing: it keeps no file.</summary>
    None,

    /// <summary>All but what came in the last second (<c>appendfsync everysec</c>, and the machine fell).</summary>
    AllButTheLastSecond,

    /// <summary>Everything.</summary>
    All,
}
