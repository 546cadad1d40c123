namespace KeyEvt.Simulation.Net;

/// <summary>Something that takes connections.</summary>
internal interface IVirtualServer
{
    string Name { get; }

    bool IsUp { get; }

    /// <param name="owner">The program that has opened it.</param>
    void Accept(VirtualConnection connection, string owner);
}
