using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Net;

/// <summary>Which programs reach which servers, and how quickly? What is sent over a way that is cut waits until it is whole again.</summary>
internal sealed class VirtualNetwork(VirtualTime time, Random random)
{
    private readonly List<Wire> _wires = [];
    private readonly HashSet<(string Member, string Server)> _cuts = [];
    private readonly Dictionary<string, TimeSpan> _slowness = [];

    public bool IsCut(string member, string server) => _cuts.Contains((member, server));

    public void Cut(string member, string server) => _cuts.Add((member, server));

    public void Mend(string member, string server)
    {
        _cuts.Remove((member, server));
        Resume();
    }

    /// <summary>What goes to or comes from this program takes so much longer.</summary>
    public void Slow(string member, TimeSpan by) => _slowness[member] = by;

    public void MendAll()
    {
        _cuts.Clear();
        _slowness.Clear();
        Resume();
    }

    /// <summary>From a program to a server. It passes also when the program is gone.</summary>
    public Wire Up(string member, string server) => New(member, () => !IsCut(member, server));

    /// <summary>From a server to a program.</summary>
    public Wire Down(string member, string server, MemberClock receiver) => New(member, () => receiver.Runs && !IsCut(member, server));

    /// <summary>Called when something may pass again that could not.</summary>
    public void Resume()
    {
        foreach (var wire in _wires) wire.Resume();
    }

    private Wire New(string member, Func<bool> mayPass)
    {
        // Each connection has a pace of its own, so what two of them carry can arrive in either order.
        var pace = 100 + random.Next(900);
        var wire = new Wire(time, () => TimeSpan.FromMicroseconds(pace + random.Next(pace)) + _slowness.GetValueOrDefault(member), mayPass);
        _wires.Add(wire);
        return wire;
    }
}
