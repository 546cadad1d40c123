using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>A registry whose sessions connect to in-memory peers.</summary>
internal static class Registries
{
    /// <param name="upstreams">Each session's upstream is added here.</param>
    /// <param name="times">Null: nobody measures.</param>
    public static SessionRegistry Make(List<MemoryConnection>? upstreams = null, ConnectTimes? times = null, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        var transport = new MemoryTransport(_ =>
        {
            var upstream = new MemoryConnection();
            upstreams?.Add(upstream);
            return ValueTask.FromResult<IConnection>(upstream);
        });
        return new SessionRegistry(new SessionServices
        {
            Transport = transport,
            Upstream = new FixedRoute(TransportAddress.Tcp("upstream", 6379)),
            Probe = new UpstreamProbe(MemoryTransport.Refusing, clock, NullLogger.Instance),
            ConnectTimes = times,
            Time = clock,
            Logger = NullLogger.Instance,
        });
    }
}
