namespace KeyEvt.Soak;

/// <summary>On which side is a fault? Two of different sides may come at once; one of the program comes alone.</summary>
internal enum FaultSide
{
    Broker,
    Feed,
    Program,
}

/// <summary>One fault of the catalogue, from its beginning to its end; what recovers afterwards is waited for by the run.</summary>
internal sealed record SoakFault(string Name, FaultSide Side, Func<SoakStage, Random, Task> ActAsync)
{
    /// <summary>A Redis stands still meanwhile: how long its commands took says nothing.</summary>
    public bool StopsRedis { get; init; }
}
