namespace KeyEvt.Bench.Load.Scenario;

/// <summary>One question about speed, and its answer as a markdown table.</summary>
internal interface IScenario
{
    /// <summary>As given on the command line.</summary>
    string Name { get; }

    string Meaning { get; }

    Task<string> RunAsync(LoadSettings settings);
}
