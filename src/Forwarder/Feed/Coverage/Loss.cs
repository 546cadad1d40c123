using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Since when was a node not heard, and why? It becomes a gap if something was missed meanwhile.</summary>
/// <param name="From">Everything that the node did before this moment has been read.</param>
/// <param name="Last">The last position before it.</param>
internal sealed record Loss(RedisFault Fault, ClockReading From, EventPosition Last)
{
    /// <summary>The same, of a node that was a replica then and is a master now.</summary>
    public Loss BeforePromotion => this with { Fault = Fault with { Text = $"{Fault.Text}; the node was promoted meanwhile" } };
}
