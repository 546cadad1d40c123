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
/// Over which connection do commands for the fallback storage go? One StackExchange.Redis multiplexer to each node that is needed, opened at first use, closed when the
/// topology no longer knows it as a master. It fails fast while Redis is away (nothing of ours may sit in its backlog and arrive later), and it does nothing of its own in
/// the database: no tie-breaker key, no configuration channel. In a cluster it does not look for other nodes either: which one has a list must be known before something is stored there.
/// </summary>
internal sealed class UpstreamDatabase(UpstreamAddress upstream, ITopology topology, Func<RedisAddress?> master, TlsClient tls, string clientName, BackgroundTasks background, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>How long the first call waits until it is known which nodes there are.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(2);

    /// <summary>The client library waits for its commands even when it is told not to; what a node that answers nothing keeps from closing is left to the background.</summary>
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1);

    private readonly LogRateLimiter _warnings = new(time, TimeSpan.FromSeconds(10));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<RedisAddress, ConnectionMultiplexer> _opened = new();
    private string? _lastRefusal;

    /// <summary>Of a shape with one master: that one.</summary>
    /// <exception cref="IOException">No master is known.</exception>
    public async ValueTask<StorePlace> OfMasterAsync()
    {
        await KnownAsync().ConfigureAwait(false);
        var current = topology.Current;
        var mayMove = current.Shape == UpstreamShape.Sentinel;
        // What is written to one that another has replaced, and that does not know it yet, is thrown away: the feeds know it first.
        var node = (mayMove ? master() : null) ?? current.Master?.Address ?? throw new IOException("no master is known");
        return await AtAsync(node, mayMove ? node.ToString() : "").ConfigureAwait(false);
    }

    /// <summary>Of a cluster: the master that serves a slot.</summary>
    /// <exception cref="IOException">There is none at the moment.</exception>
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

    /// <summary>Waits a moment, at the start, until it is known which nodes there are.</summary>
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

    private async Task CloseAsync(ConnectionMultiplexer multiplexer)
    {
        var closing = Task.Run(async () =>
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
            await multiplexer.DisposeAsync().ConfigureAwait(false);
        });
        if (await Task.WhenAny(closing, Task.Delay(CloseDeadline, time)).ConfigureAwait(false) != closing || closing.IsFaulted)
        {
            background.GiveUp("closing the connection for the fallback storage", closing);
        }
    }

    private async ValueTask<StorePlace> AtAsync(RedisAddress node, string name)
    {
        if (_opened.TryGetValue(node, out var open)) return PlaceAt(name, open);

        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_opened.TryGetValue(node, out open))
            {
                await CloseOthersAsync().ConfigureAwait(false);
                open = _opened[node] = await OpenAsync(node).ConfigureAwait(false);
            }

            return PlaceAt(name, open);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>In a cluster each list is where its slot is, so a node that sends somewhere else is not followed: the topology is asked anew.</summary>
    private StorePlace PlaceAt(string name, ConnectionMultiplexer open) =>
        new(name, open.GetDatabase(0), upstream.Shape == UpstreamShape.Cluster ? CommandFlags.NoRedirect : CommandFlags.None);

    /// <summary>Those of nodes that serve nothing any more.</summary>
    private async Task CloseOthersAsync()
    {
        var serving = topology.Current.Shape == UpstreamShape.Cluster ? topology.Current.Masters.Where(one => one.Slots.Count > 0).Select(one => one.Address).ToList() : [];
        foreach (var node in _opened.Keys.Where(node => !serving.Contains(node)))
        {
            if (!_opened.TryRemove(node, out var old)) continue;

            await CloseAsync(old).ConfigureAwait(false);
        }
    }

    private async Task<ConnectionMultiplexer> OpenAsync(RedisAddress node)
    {
        var login = upstream.Login;
        // Without ECHO, which would be the first thing that is asked: without the right to it nothing would go; PING does as well.
        HashSet<string> without = upstream.Shape == UpstreamShape.Cluster ? ["ECHO", "CLUSTER"] : ["ECHO"];
        var options = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            // The library's own timers, as those of its heartbeat: by the system's clock.
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
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
        if (!multiplexer.IsConnected) login.Password?.Refused(); // why not, it does not say
        multiplexer.ConnectionFailed += (_, e) =>
        {
            if (e.FailureType == ConnectionFailureType.AuthenticationFailure) login.Password?.Refused();
            if (_warnings.MayWarn(2300, e.FailureType.ToString())) FallbackLog.Disconnected(logger, e.FailureType.ToString());
        };
        multiplexer.ConnectionRestored += (_, _) => FallbackLog.Connected(logger);
        return multiplexer;
    }

    /// <summary>The library tries again every other second: the same text is said once.</summary>
    private void Refused(string why)
    {
        if (Interlocked.Exchange(ref _lastRefusal, why) != why) FallbackLog.Refused(logger, why);
    }

    private static EndPoint EndPointOf(RedisAddress address) => address.Path is { } path ? new UnixDomainSocketEndPoint(path)
        : IPAddress.TryParse(address.Host, out var ip) ? new IPEndPoint(ip, address.Port)
        : new DnsEndPoint(address.Host, address.Port);
}
