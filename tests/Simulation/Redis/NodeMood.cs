namespace KeyEvt.Simulation.Redis;

/// <summary>How does a running node treat commands?</summary>
internal enum NodeMood
{
    Well,

    /// <summary>It handles none: SIGSTOP, or a script that has just begun. They wait.</summary>
    Frozen,

    /// <summary>A script runs for too long: everything is answered with -BUSY.</summary>
    Busy,
}
