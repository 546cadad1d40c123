using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Topology;

/// <summary>Which nodes are behind an address right now? Asks once, for <c>keyevt check</c>.</summary>
public static class TopologyProbe
{
    /// <exception cref="IOException">Nobody could be asked, or nobody knows. The message is one line without secrets.</exception>
    public static async Task<IReadOnlyList<TopologyNode>> FindAsync(UpstreamAddress upstream, TlsClient tls, TimeProvider time)
    {
        var finder = TopologyWatcher.FinderOf(upstream, new SocketRedisTransport(time, tls), time);
        await using (finder.ConfigureAwait(false)) return await finder.FindAsync().ConfigureAwait(false);
    }
}
