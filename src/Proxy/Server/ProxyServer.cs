using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Sockets;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.KeyspaceFanIn;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Server;

/// <summary>
/// Which listeners, sessions and interceptors belong together in one run? Everything between the clients and the upstream. Owned by the program.
/// </summary>
/// <param name="topology">The nodes behind Sentinel or of a cluster, as they are now.</param>
/// <param name="coverage">Whether requests to a node must wait until its events are heard.</param>
/// <param name="commands">Null: nothing is intercepted.</param>
/// <param name="meter">The server's instruments are made on this meter at the start.</param>
internal sealed class ProxyServer(
    ProxyServerOptions options, UpstreamAddress upstream, ITopology topology, CoverageGateRegistry coverage, ITransport transport, KeyEvtCommands? commands, Meter meter, ILoggerFactory loggers, TimeProvider time) : IAsyncDisposable
{
    private static readonly string Version = typeof(ProxyServer).Assembly.GetName().Version!.ToString(3);

    private readonly ILogger _logger = loggers.CreateLogger<ProxyServer>();
    private readonly long _startedAt = time.GetTimestamp();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>
    /// Replaced whole by <see cref="StartAsync"/>, which also sets the four fields below. The admin pages are already served meanwhile, and read them without a
    /// lock.
    /// </summary>
    private volatile IReadOnlyList<IConnectionListener> _listeners = [];
    private readonly int _maxClients = OpenFiles.Limit(options.MaxClients, SessionRegistry.MaxFarewells + (options.Listen.Any(address => address.IsTls) ? HandshakeLimits.OfThisProcess.Descriptors : 0), loggers.CreateLogger<ProxyServer>());
    private SessionRegistry? _sessions;
    private UpstreamProbe? _probe;
    private ClusterListeners? _nodePorts;
    private FanInHub? _merge;

    /// <summary>
    /// The addresses it listens on: first one for each --listen, with the port that was really taken, then those that currently lead to the nodes of a cluster.
    /// </summary>
    public IReadOnlyList<string> Addresses => [.. _listeners.Select(listener => listener.Address), .. _nodePorts?.Addresses ?? []];

    /// <summary>One line for each node of a cluster that has no port here.</summary>
    public IReadOnlyList<string> MissingNodePorts => _nodePorts?.Missing ?? [];

    public SessionRegistry Sessions => _sessions ?? throw new InvalidOperationException("not started");

    public InterceptionState Interception => commands is null ? InterceptionState.NoEcho : _probe?.State ?? InterceptionState.NotTried;

    /// <summary>Valid after the start. Completes when the accept loops were stopped, faults as soon as one of them has died.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Returns once clients can connect.</summary>
    /// <exception cref="IOException">
    /// An address cannot be listened on; the message names it. Dispose of the server then, which closes what was started.
    /// </exception>
    public async Task StartAsync()
    {
        _probe = new UpstreamProbe(transport, time, _logger);
        var route = RouteOf();
        var translator = upstream.Shape == UpstreamShape.Cluster ? new AddressTranslator(options.AnnounceHost, topology.Hint, time, _logger) : null;
        if (options.MergeKeyspace && translator is not null)
        {
            _merge = new FanInHub(topology, transport, options.Deadlines.Connect, time, _logger);
        }

        var sessionLogger = loggers.CreateLogger<ProxySession>();
        var services = new SessionServices
        {
            Transport = transport,
            Upstream = route,
            CoverageOf = place => coverage.Of(place.Host, place.Port, place.UnixPath),
            Intercept = new InterceptorFactory(new Authorization(options.AdminUsers), commands, translator, _merge, sessionLogger).Open,
            Probe = _probe,
            Interceptions = new InterceptMetrics(meter, OwnCommand.MetricLabels, () => Interception),
            ConnectTimes = new ConnectTimes(meter),
            Time = time,
            Logger = sessionLogger,
            Deadlines = options.Deadlines,
        };
        _sessions = new SessionRegistry(services, _maxClients);
        SessionMetrics.Add(meter, _sessions);
        FanInMetrics.Add(meter, _merge);
        commands?.ServerSection = GetInfo;
        // One by one, so that what is open is closed when the next one fails.
        foreach (var address in options.Listen) _listeners = [.. _listeners, Listen(address)];
        foreach (var listener in _listeners) ListenLog.Listening(_logger, listener.Address);
        List<Task> loops = [.. _listeners.Select(listener => new ProxyListener(listener, _sessions, time, _logger).RunAsync(_stop.Token))];
        if (commands is not null) loops.Add(UntilStopped(ProbeAsync(route, _probe)));
        if (options.IdleTimeout > TimeSpan.Zero) loops.Add(UntilStopped(_sessions.CloseIdleAsync(options.IdleTimeout, time, _stop.Token)));
        if (route is TopologyRoute moving) loops.Add(UntilStopped(moving.FollowAsync(_stop.Token)));
        if (translator is not null)
        {
            _nodePorts = new ClusterListeners(topology, translator, FirstNodePort(), services, _sessions, time, _logger);
            // So that the ports of all nodes that are known are open when the start is over.
            await _nodePorts.FollowAsync(topology.Current).ConfigureAwait(false);
            loops.Add(UntilStopped(_nodePorts.RunAsync(_stop.Token)));
        }

        Completion = FirstFaultOrAllAsync(loops);
    }

    /// <summary>The section of info that only the server knows.</summary>
    public InfoSection GetInfo() => new("server",
    [
        new("keyevt_version", Version),
        new("process_id", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)),
        new("uptime_in_seconds", ((long)time.GetElapsedTime(_startedAt).TotalSeconds).ToString(CultureInfo.InvariantCulture)),
        new("listening", string.Join(' ', Addresses)),
        new("connected_clients", (_sessions?.Count ?? 0).ToString(CultureInfo.InvariantCulture)),
        new("maxclients", _maxClients.ToString(CultureInfo.InvariantCulture)),
        new("rejected_connections", (_sessions?.Refused ?? 0).ToString(CultureInfo.InvariantCulture)),
        new("total_connections_received", (_sessions?.Total ?? 0).ToString(CultureInfo.InvariantCulture)),
        new("allocated_bytes", GC.GetTotalAllocatedBytes().ToString(CultureInfo.InvariantCulture)),
        new("interception", Interception switch { InterceptionState.On => "on", InterceptionState.NoEcho => "off", _ => "unknown" }),
        .. _merge?.Fields ?? [],
    ]);

    /// <summary>Stops accepting, lets requests under way get their replies, and cuts the sessions that have not ended by the deadline.</summary>
    public async Task StopAsync(TimeSpan deadline)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var listener in _listeners) await listener.DisposeAsync().ConfigureAwait(false);
        if (_nodePorts is not null) await _nodePorts.DisposeAsync().ConfigureAwait(false);
        if (_sessions is null) return;
        ListenLog.Stopping(_logger, _sessions.Count);
        var cut = await _sessions.StopAsync(deadline, time).ConfigureAwait(false);
        if (cut > 0) ListenLog.StopCut(_logger, cut);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stop.Dispose();
    }

    private IUpstreamRoute RouteOf()
    {
        var name = upstream.ToString();
        return upstream.Shape switch
        {
            UpstreamShape.Sentinel => TopologyRoute.ToMaster(name, topology, time),
            UpstreamShape.Cluster => TopologyRoute.ToAnyMaster(name, topology, time),
            _ => new FixedRoute(TransportAddress.Of(upstream.Seeds[0])),
        };
    }

    /// <summary>The host of the first --listen over TCP, and whether it speaks TLS, with the first of the nodes' ports.</summary>
    private TransportAddress FirstNodePort()
    {
        var like = options.Listen.FirstOrDefault(address => address.UnixPath is null);
        var host = like?.Host ?? "127.0.0.1";
        return like is { IsTls: true } ? TransportAddress.Tls(host, options.ListenBase) : TransportAddress.Tcp(host, options.ListenBase);
    }

    private async Task ProbeAsync(IUpstreamRoute route, UpstreamProbe probe)
    {
        var now = time.GetTimestamp();
        if (await route.FindAsync(failed: [], _stop.Token).ConfigureAwait(false) is { } place)
        {
            await probe.LearnAsync(place.Address, now, _stop.Token).ConfigureAwait(false);
        }
    }

    private static async Task UntilStopped(Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // told to stop
        }
    }

    private IConnectionListener Listen(TransportAddress address)
    {
        try
        {
            return transport.Listen(address);
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {address}: {e.Message}", e);
        }
    }

    private static async Task FirstFaultOrAllAsync(List<Task> loops)
    {
        while (loops.Count > 0)
        {
            var ended = await Task.WhenAny(loops).ConfigureAwait(false);
            // An accept loop ends on a thread of the transport, which must not run what follows here.
            await Task.Yield();
            await ended.ConfigureAwait(false);
            loops.Remove(ended);
        }
    }
}
