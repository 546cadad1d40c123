using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>What do all merged streams share, and what have they done so far? Thread safe.</summary>
internal sealed class FanInHub(ITopology topology, ITransport transport, TimeSpan connectTimeout, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    /// <summary>Many sessions lose the same master at once: one hint says it for all.</summary>
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

    /// <summary>Clients whose subscription is merged from all masters.</summary>
    public long Subscribers => Volatile.Read(ref _subscribers);

    /// <summary>Connections to masters for them.</summary>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>Those of them that did not read and were cut.</summary>
    public long SubscribersCut => Volatile.Read(ref _cut);

    /// <summary>For the server's section of info.</summary>
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

    /// <summary>A master that was heard is lost: who follows the nodes is to look.</summary>
    public void Lost(TransportAddress node)
    {
        if (_hints.TryTake()) topology.Hint($"a merged subscription lost {node}");
    }

    /// <summary>The node does not let the proxy subscribe.</summary>
    /// <param name="error">Its code; what else it says may hold a channel, and so a key.</param>
    public void WarnOfRefusal(TransportAddress node, string error)
    {
        if (_warnings.TryTake($"refused {node}")) FanInLog.MergeRefused(logger, node, error);
    }

    /// <summary>A client was told that it is subscribed, but does not hear all masters yet.</summary>
    public void WarnOfMissing(string nodes)
    {
        if (_warnings.TryTake("missing")) FanInLog.MergeIncomplete(logger, nodes);
    }

    /// <summary>A subscriber hears its own node only from here on.</summary>
    public void WarnOfGivingUp(string why)
    {
        if (_warnings.TryTake("given up")) FanInLog.MergeGivenUp(logger, why);
    }

    private static KeyValuePair<string, string> Field(string name, long value) => new(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
