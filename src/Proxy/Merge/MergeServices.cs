using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Merge;

/// <summary>What do all merged streams share, and what have they done so far? Thread safe.</summary>
internal sealed class MergeServices(ITopology topology, ITransport transport, TimeSpan connectTimeout, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _warning = new();
    private readonly Dictionary<string, long> _warnedAt = [];
    private long _subscribers;
    private long _connections;
    private long _cut;

    public ITopology Topology => topology;

    public ITransport Transport => transport;

    public TimeSpan ConnectTimeout => connectTimeout;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>For the server's section of info.</summary>
    public IEnumerable<KeyValuePair<string, string>> Fields =>
    [
        Field("merged_subscribers", ref _subscribers),
        Field("merged_connections", ref _connections),
        Field("merged_subscribers_cut", ref _cut),
    ];

    public void CountSubscribers(int change) => Interlocked.Add(ref _subscribers, change);

    public void CountConnections(int change) => Interlocked.Add(ref _connections, change);

    public void SubscriberWasCut(long session)
    {
        Interlocked.Increment(ref _cut);
        ProxyLog.SubscriberTooSlow(logger, session, NotificationInbox.MaxBytes);
    }

    /// <summary>The node does not let the proxy subscribe.</summary>
    public void WarnOfRefusal(TransportAddress node, string error)
    {
        if (MayWarn($"refused {node}")) ProxyLog.MergeRefused(logger, node, error);
    }

    /// <summary>A client was told that it is subscribed, but does not hear all masters yet.</summary>
    public void WarnOfMissing(string nodes)
    {
        if (MayWarn("missing")) ProxyLog.MergeIncomplete(logger, nodes);
    }

    private bool MayWarn(string what)
    {
        lock (_warning)
        {
            if (_warnedAt.TryGetValue(what, out var last) && time.GetElapsedTime(last) < WarnEvery) return false;
            _warnedAt[what] = time.GetTimestamp();
            return true;
        }
    }

    private static KeyValuePair<string, string> Field(string name, ref long value) => new(name, Volatile.Read(ref value).ToString(System.Globalization.CultureInfo.InvariantCulture));
}
