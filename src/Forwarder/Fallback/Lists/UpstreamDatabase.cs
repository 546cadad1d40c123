using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>
/// Over which connection do commands for the fallback storage go? One StackExchange.Redis multiplexer for each node that is needed. It is opened at
/// first use, and closed when the topology no longer knows the node as a master. Commands fail at once while Redis is away, so none waits in a
/// backlog and arrives later. The library does nothing of its own in the database: no tie-breaker key, no configuration channel. In a cluster it does
/// not look for other nodes either: which node has a list must be known before something is stored there.
/// </summary>
/// <param name="connect">Opens a connection with these options; null: the client library does.</param>
internal sealed class UpstreamDatabase(UpstreamAddress upstream, ITopology topology, Func<RedisAddress?> master, TlsClient tls, string clientName, BackgroundTasks background, TimeProvider time, ILogger logger,
    Func<ConfigurationOptions, Task<IConnectionMultiplexer>>? connect = null) : IAsyncDisposable
{
    /// <summary>How long a call waits at the start until the topology knows any node.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The client library waits for its commands when it closes, even when told not to. If a silent node delays the close longer than this, it is
    /// left to the background.
    /// </summary>
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1);

    private readonly Func<ConfigurationOptions, Task<IConnectionMultiplexer>> _connect = connect ?? (static async options => await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false));
    private readonly LogRateLimiter _warnings = new(time, TimeSpan.FromSeconds(10));
    private readonly SemaphoreSlim _gate = new(1, 1);

    /// <summary>Changed under <see cref="_gate"/>; read by any task without it.</summary>
    private readonly ConcurrentDictionary<RedisAddress, IConnectionMultiplexer> _opened = new();

    /// <summary>The last TLS refusal that was logged. Exchanged with Interlocked, because the library's threads report refusals.</summary>
    private string? _lastRefusal;

    /// <summary>
    /// The one master; null while none is known. Behind Sentinels the feeds learn of a failover first. A replaced master that does not know it yet
    /// would accept entries and then lose them.
    /// </summary>
    internal RedisAddress? Master => (MayMove ? master() : null) ?? topology.Current.Master?.Address;

    private bool MayMove => topology.Current.Shape == UpstreamShape.Sentinel;

    /// <summary>The place at the master, for an upstream with one master.</summary>
    /// <exception cref="IOException">No master is known.</exception>
    public async ValueTask<StorePlace> OfMasterAsync()
    {
        await KnownAsync().ConfigureAwait(false);
        var node = Master ?? throw new IOException("no master is known");
        return await AtAsync(node, MayMove ? node.ToString() : "").ConfigureAwait(false);
    }

    /// <summary>The place at the master that serves a slot, for a cluster.</summary>
    /// <exception cref="IOException">No master serves the slot at the moment.</exception>
    public async ValueTask<StorePlace> OfSlotAsync(int slot)
    {
        await KnownAsync().ConfigureAwait(false);
        var node = topology.Current.MasterOf(slot);
        if (node is null or { IsFailing: true })
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"no master serves slot {slot} at the moment"));
        }

        return await AtAsync(node.Address, node.Address.ToString()).ConfigureAwait(false);
    }

    /// <summary>The place at a node that another one has named.</summary>
    public ValueTask<StorePlace> OfNodeAsync(RedisAddress node) => AtAsync(node, node.ToString());

    /// <summary>At the start, waits up to <see cref="FirstLook"/> until the topology knows any node.</summary>
    public async ValueTask KnownAsync()
    {
        var changed = topology.Changed;
        if (topology.Current.Nodes.Count == 0) await Task.WhenAny(changed, Task.Delay(FirstLook, time)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_opened.Values.Select(CloseAsync)).ConfigureAwait(false);
        _gate.Dispose();
    }

    private async Task CloseAsync(IConnectionMultiplexer multiplexer)
    {
        var closing = Task.Run(async () =>
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
            await multiplexer.DisposeAsync().ConfigureAwait(false);
        });
        await Task.WhenAny(closing, Task.Delay(CloseDeadline, time)).ConfigureAwait(false);
        background.GiveUp("closing the connection for the fallback storage", closing); // counted only as long as it still runs
    }

    /// <summary>Redirects are not followed: a list is where its slot is, and the topology is asked again instead.</summary>
    private async ValueTask<StorePlace> AtAsync(RedisAddress node, string name)
    {
        if (_opened.TryGetValue(node, out var open)) return new StorePlace(name, open.GetDatabase(0), CommandFlags.NoRedirect);

        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_opened.TryGetValue(node, out open))
            {
                await CloseOthersAsync().ConfigureAwait(false);
                open = _opened[node] = await OpenAsync(node).ConfigureAwait(false);
            }

            return new StorePlace(name, open.GetDatabase(0), CommandFlags.NoRedirect);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Closes the connections to nodes that serve no slots, are no longer the one master, or are no longer named by the one that the user named.</summary>
    private async Task CloseOthersAsync()
    {
        // Behind Sentinels the seeds are these, and none of them is ever open here.
        var known = topology.Current;
        var serving = (known.Shape == UpstreamShape.Cluster ? known.Masters.Where(static one => one.Slots.Count > 0).Select(static one => one.Address) : upstream.Seeds).ToList();
        foreach (var node in _opened.Keys.Where(node => !serving.Contains(node)))
        {
            if (!_opened.TryRemove(node, out var old)) continue;

            await CloseAsync(old).ConfigureAwait(false);
        }
    }

    private async Task<IConnectionMultiplexer> OpenAsync(RedisAddress node)
    {
        var login = upstream.Login;
        // PING instead of ECHO: ECHO would be the library's first command, and a user without the right to it could not use the connection at all.
        // Without CLUSTER it does not look for other nodes: a node of a cluster may announce the address of this proxy.
        HashSet<string> without = ["ECHO", "CLUSTER"];
        var options = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            // These are timers of the library, like its heartbeat: they run by the system's clock and not by TimeProvider.
            ConnectTimeout = 5000,
            AsyncTimeout = 5000,
            BacklogPolicy = BacklogPolicy.FailFast,
            ReconnectRetryPolicy = new ExponentialRetry(100, 2000),
            ClientName = clientName,
            TieBreaker = "",
            ConfigurationChannel = "",
            SetClientLibrary = false,
            CommandMap = CommandMap.Create(without, available: false),
            Defaults = new CurrentLogin(login),
        };
        if (upstream.IsTls)
        {
            options.Ssl = true;
            options.SslClientAuthenticationOptions = _ => tls.OptionsFor(node.Host, Refused);
        }

        options.EndPoints.Add(EndPointOf(node));
        var multiplexer = await _connect(options).ConfigureAwait(false);
        if (!multiplexer.IsConnected) login.Password?.Refused(); // the library does not say why it failed; it may have been the password
        multiplexer.ConnectionFailed += (_, e) =>
        {
            if (e.FailureType == ConnectionFailureType.AuthenticationFailure) login.Password?.Refused();
            if (_warnings.MayWarn(2300, e.FailureType.ToString())) FallbackLog.Disconnected(logger, e.FailureType.ToString());
        };
        multiplexer.ConnectionRestored += (_, _) => FallbackLog.Connected(logger);
        return multiplexer;
    }

    /// <summary>Logs a TLS refusal. The library tries again every two seconds, so the same text is logged once.</summary>
    private void Refused(string why)
    {
        if (Interlocked.Exchange(ref _lastRefusal, why) != why) FallbackLog.Refused(logger, why);
    }

    private static EndPoint EndPointOf(RedisAddress address) => address.Path is { } path ? new UnixDomainSocketEndPoint(path)
        : IPAddress.TryParse(address.Host, out var ip) ? new IPEndPoint(ip, address.Port)
        : new DnsEndPoint(address.Host, address.Port);
}
