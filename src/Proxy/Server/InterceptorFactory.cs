using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Server;

/// <summary>Makes the <see cref="SessionInterceptor"/> of each session, as the options demand.</summary>
/// <param name="commands">Null: key_evt_amqp commands are not answered.</param>
/// <param name="translator">Null: the upstream is no cluster.</param>
/// <param name="fanIn">Null: subscriptions are not merged (<c>--merge-keyspace</c>).</param>
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
