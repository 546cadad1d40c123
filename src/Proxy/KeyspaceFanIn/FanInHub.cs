using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What do all merged streams share, and what have they done so far? Thread safe: the counters are changed by Interlocked and read by Volatile.
/// </summary>
internal sealed class FanInHub(ITopology topology, ITransport transport, TimeSpan connectTimeout, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    /// <summary>How often the topology is told of lost masters. Many sessions lose the same master at once, and one hint is enough for all.</summary>
    private static readonly TimeSpan HintEvery = TimeSpan.FromMilliseconds(100);

    private readonly KeyedRateLimiter<string> _warnings = new(time, WarnEvery);
    private readonly RateLimiter _hints = new(time, HintEvery);
    private long _subscribers;
    private long _connections;
    private long _cut;

    public ITopology Topology => topology;

    public MasterWitness Witness { get; } = new(transport, connectTimeout, time);

    public ITransport Transport => transport;

    public TimeSpan ConnectTimeout => connectTimeout;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>How many clients have a merged subscription.</summary>
    public long Subscribers => Volatile.Read(ref _subscribers);

    /// <summary>How many connections to masters serve merged subscriptions.</summary>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>How many clients with a merged subscription were cut because they did not read.</summary>
    public long SubscribersCut => Volatile.Read(ref _cut);

    /// <summary>The fields for the section "server" of info.</summary>
    public IEnumerable<KeyValuePair<string, string>> Fields =>
    [
        Field("merged_subscribers", Subscribers),
        Field("merged_connections", Connections),
        Field("merged_subscribers_cut", SubscribersCut),
    ];

    public void CountSubscribers(int change) => Interlocked.Add(ref _subscribers, change);

    public void CountConnections(int change) => Interlocked.Add(ref _connections, change);

    public void SubscriberWasCut(long session)
    {
        var cut = Interlocked.Increment(ref _cut);
        if (_warnings.TryTake("cut")) FanInLog.SubscriberTooSlow(logger, session, NotificationInbox.MaxBytes, cut);
    }

    /// <summary>The connection to a master is lost, so the topology should look at the nodes.</summary>
    public void Lost(TransportAddress node)
    {
        if (_hints.TryTake()) topology.Hint($"a merged subscription lost {node}");
    }

    /// <summary>A node refuses a subscription of the proxy.</summary>
    /// <param name="error">The error's first word. The rest may contain a channel, and so a key.</param>
    public void WarnOfRefusal(TransportAddress node, string error)
    {
        if (_warnings.TryTake($"refused {node}")) FanInLog.MergeRefused(logger, node, error);
    }

    /// <summary>A client was told that it is subscribed, but not all masters are heard yet.</summary>
    public void WarnOfMissing(string nodes)
    {
        if (_warnings.TryTake("missing")) FanInLog.MergeIncomplete(logger, nodes);
    }

    /// <summary>From here on a subscriber hears only its own node.</summary>
    public void WarnOfGivingUp(string why)
    {
        if (_warnings.TryTake("given up")) FanInLog.MergeGivenUp(logger, why);
    }

    private static KeyValuePair<string, string> Field(string name, long value) => new(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
