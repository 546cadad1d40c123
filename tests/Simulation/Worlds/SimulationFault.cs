namespace KeyEvt.Simulation.Worlds;

/// <summary>A promise is broken. The text says which.</summary>
internal sealed class SimulationFault(string text) : Exception(text);
