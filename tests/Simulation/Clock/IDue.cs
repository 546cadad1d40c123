namespace KeyEvt.Simulation.Clock;

/// <summary>Something that happens at a time of a simulated world.</summary>
internal interface IDue
{
    void Happen();
}
