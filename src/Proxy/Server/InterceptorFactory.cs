using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Server;

/// <summary>Gives each session what it answers and changes itself, by what the program was started with.</summary>
/// <param name="commands">Null: the proxy's own commands are not answered.</param>
/// <param name="translator">Of a cluster; else null.</param>
/// <param name="fanIn">With <c>--merge-keyspace</c>; else null.</param>
internal sealed class InterceptorFactory(Authorization authorization, ICommandHandler? commands, AddressTranslator? translator, FanInHub? fanIn, ILogger logger)
{
    private readonly SessionInterceptor _own = commands is null ? SessionInterceptor.None : new OwnCommandInterceptor(authorization, commands);

    /// <inheritdoc cref="OpenInterceptor"/>
    public SessionInterceptor Open(ProxySession session, IConnection client, IConnection upstream, TransportAddress address)
    {
        if (translator is null) return _own;
        var cluster = new ClusterInterceptor(_own, translator.NamesFor(client, address), logger);
        return fanIn is null ? cluster : new FanInInterceptor(cluster, fanIn, session, upstream, address);
    }
}
