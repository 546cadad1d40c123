using System.Collections.Concurrent;
using KeyEvt.Forwarder.Redis;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Which gate belongs to which node? Found by address; a node that goes and comes back gets the same one. Thread safe.</summary>
/// <param name="wait">How long requests wait at most, see <see cref="CoverageGate"/>.</param>
public sealed class CoverageGateRegistry(TimeSpan wait, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<(string Host, int Port, string? Path), CoverageGate> _gates = new();
    private volatile bool _isWanted;

    /// <summary>How often requests waited.</summary>
    internal long Waits => _gates.Values.Sum(gate => gate.Waits);

    /// <summary>How often a wait ended before events were heard again.</summary>
    internal long RanOut => _gates.Values.Sum(gate => gate.RanOut);

    /// <summary>Whether events are neither sent nor stored. Then nobody waits for them. Set before the first gate is made.</summary>
    internal Func<bool> AreEventsOff { get; set; } = static () => false;

    /// <summary>Whether events of any class are wanted. If so, those of a node without a feed are missing.</summary>
    internal bool IsWanted
    {
        set => _isWanted = value;
    }

    /// <param name="path">The path of a unix socket; else null.</param>
    public CoverageGate Of(string host, int port, string? path) => _gates.GetOrAdd((host, port, path), static (place, gates) => gates.Make(place), this);

    internal CoverageGate Of(RedisAddress node) => Of(node.Host, node.Port, node.Path);

    private CoverageGate Make((string Host, int Port, string? Path) place)
    {
        var gate = new CoverageGate(place.Path ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{place.Host}:{place.Port}"), wait, time, logger) { AreEventsOff = AreEventsOff };
        gate.Show(isMissing: _isWanted);
        return gate;
    }
}
