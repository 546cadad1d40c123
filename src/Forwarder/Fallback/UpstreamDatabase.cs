using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback;

/// <summary>
/// Over which connection do commands for the fallback storage go? One StackExchange.Redis multiplexer to the node that is the master now, opened at
/// first use; another one when another node is. In a cluster it knows the nodes itself, and follows the key's slot. It fails fast while Redis is away
/// (nothing of ours may sit in its backlog and arrive later), and it does nothing of its own in the database: no tie-breaker key, no configuration channel.
/// </summary>
internal sealed class UpstreamDatabase(UpstreamAddress upstream, ITopology topology, Func<RedisAddress?> master, TlsClient tls, string clientName, ILogger logger) : IAsyncDisposable
{
    /// <summary>How long the first call waits until it is known which nodes there are.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Opened? _opened;
    private string? _lastRefusal;

    private sealed record Opened(string Place, ConnectionMultiplexer Multiplexer);

    /// <exception cref="IOException">No master is known.</exception>
    public async ValueTask<StorePlace> GetAsync()
    {
        var changed = topology.Changed;
        if (topology.Current.Nodes.Count == 0)
            await Task.WhenAny(changed, Task.Delay(FirstLook)).ConfigureAwait(false);
        var nodes = Nodes();
        string place = upstream.Shape == UpstreamShape.Sentinel ? nodes[0].ToString() : "";
        if (_opened is { } open && open.Place == place)
            return new StorePlace(place, open.Multiplexer.GetDatabase(0));

        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_opened?.Place != place)
            {
                var old = _opened?.Multiplexer;
                _opened = null;
                if (old is not null)
                    await old.DisposeAsync().ConfigureAwait(false);
                _opened = new Opened(place, await OpenAsync(nodes).ConfigureAwait(false));
            }

            return new StorePlace(place, _opened.Multiplexer.GetDatabase(0));
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_opened is { } open)
            await open.Multiplexer.DisposeAsync().ConfigureAwait(false);

        _gate.Dispose();
    }

    private IReadOnlyList<RedisAddress> Nodes()
    {
        var current = topology.Current;
        if (current.Shape == UpstreamShape.Sentinel && master() is { } said)
            return [said]; // what is written to one that another has replaced, and that does not know it yet, is thrown away
        if (current.Shape != UpstreamShape.Cluster)
            return current.Master is { } master ? [master.Address] : throw new IOException("no master is known");

        var masters = current.Masters.Where(node => !node.IsFailing).Select(node => node.Address).ToList();
        return masters.Count > 0 ? masters : upstream.Seeds;
    }

    private async Task<ConnectionMultiplexer> OpenAsync(IReadOnlyList<RedisAddress> nodes)
    {
        var login = upstream.Login;
        var options = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            ConnectTimeout = 5000,
            AsyncTimeout = 5000,
            BacklogPolicy = BacklogPolicy.FailFast,
            ReconnectRetryPolicy = new ExponentialRetry(100, 2000),
            ClientName = clientName,
            TieBreaker = "",
            ConfigurationChannel = "",
            SetClientLibrary = false,
            CommandMap = CommandMap.Create(["ECHO"], available: false), // else it would be the first thing that is asked, and without the right to it nothing would go; PING does as well
            User = login.User,
            Password = login.Password,
        };
        if (upstream.IsTls)
        {
            options.Ssl = true;
            // The name that a certificate is for: of a node of its own, or, in a cluster, whichever is connected to.
            options.SslClientAuthenticationOptions = host => tls.OptionsFor(upstream.Shape == UpstreamShape.Cluster ? host : nodes[0].Host, Refused);
        }

        foreach (var node in nodes)
            options.EndPoints.Add(EndPointOf(node));
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
        multiplexer.ConnectionFailed += (_, e) => FallbackLog.Disconnected(logger, e.FailureType.ToString());
        multiplexer.ConnectionRestored += (_, _) => FallbackLog.Connected(logger);
        return multiplexer;
    }

    /// <summary>The library tries again every other second: the same text is said once.</summary>
    private void Refused(string why)
    {
        if (Interlocked.Exchange(ref _lastRefusal, why) != why)
            FallbackLog.Refused(logger, why);
    }

    private static EndPoint EndPointOf(RedisAddress address) => address.Path is { } path ? new UnixDomainSocketEndPoint(path)
        : IPAddress.TryParse(address.Host, out var ip) ? new IPEndPoint(ip, address.Port)
        : new DnsEndPoint(address.Host, address.Port);
}
