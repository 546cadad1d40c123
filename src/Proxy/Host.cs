using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.InteropServices;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy;

/// <summary>
/// In which order do the parts of a running proxy start and stop? Start: admin pages, listeners, engine; what needs a port comes first, so that
/// a second program on the same ports touches nothing. Stop: listeners and sessions, so that no new event comes through here; the engine, which gets
/// every event confirmed or stored; the admin pages last. Owns all of them.
/// </summary>
internal sealed class Host
{
    private static readonly TimeSpan SessionsDeadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EventsDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AdminDeadline = TimeSpan.FromSeconds(1);

    /// <summary>All of stopping; whoever supervises the program was promised 10 seconds.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(9.5);

    private readonly ProxyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly MetricsCollector _metrics;
    private readonly ForwarderEngine _engine;
    private readonly ITransport _transport;
    private readonly ProxyServer _server;
    private readonly ProxyReadiness _readiness;
    private AdminServer? _admin;

    private readonly Certificates _certificates;
    private readonly PosixSignalRegistration _hangup;

    private Host(ProxyOptions options, ILoggerFactory loggers, MetricsCollector metrics)
    {
        _certificates = new Certificates(options);
        (_options, _loggers, _metrics) = (options, loggers, metrics);
        _logger = loggers.CreateLogger("KeyEvt.Proxy.Host");
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true; // also without certificates: no reason to end
            _certificates.Reload(_logger);
        });
        _engine = new ForwarderEngine(
            new ForwarderOptions
            {
                Upstream = options.Upstream,
                UpstreamTls = _certificates.Upstream,
                AmqpTls = _certificates.Amqp,
                NotifyMode = options.NotifyMode,
                CoverageWait = options.CoverageWait,
                Instance = options.Instance,
                Initial = options.Forwarding,
                PublishGaps = options.GapEvents,
                Spool = options.Spool,
                StateKey = options.KeepState ? FallbackKey.StateOf(options.NamedInstance) : null,
                Delivery = new DeliveryOptions
                {
                    Window = options.Window,
                    BufferBytes = options.BufferBytes,
                    StoreUnroutable = options.StoreUnroutable,
                    MaxAttempts = options.MaxAttempts,
                },
            },
            TimeProvider.System, loggers);
        _transport = new TlsTransport(
            Transports.Create(options.Transport, options.Loops, options.Sockets), _certificates.Upstream, _certificates.Clients, options.Sockets, loggers.CreateLogger<TlsTransport>());
        _server = new ProxyServer(
            new ProxyServerOptions
            {
                Listen = options.Listen,
                Upstream = options.UpstreamPlace,
                UpstreamName = options.Upstream.ToString(),
                Topology = _engine.Topology,
                Coverage = _engine.Coverage,
                ListenBase = options.ListenBase,
                AnnounceHost = options.AnnounceHost,
                MergeKeyspace = options.MergeKeyspace,
                AdminUsers = options.AdminUsers,
                MaxClients = options.MaxClients,
                IdleTimeout = options.IdleTimeout,
                Deadlines = new SessionDeadlines { Connect = options.ConnectTimeout },
            },
            _transport, new KeyEvtCommands(_engine.Control, loggers.CreateLogger<KeyEvtCommands>()), loggers, TimeProvider.System);
        _readiness = new ProxyReadiness(() => [.. _server.MissingDoors, .. _engine.MissingFeeds()]);
    }

    /// <summary>Runs until <paramref name="stop"/> ends or a part dies. Exit code 0 after a stop that was asked for, else 1.</summary>
    public static async Task<int> RunAsync(ProxyOptions options, TextWriter output, TextWriter error, Task<string> stop)
    {
        using var loggers = HostLog.CreateFactory(options.LogLevel);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new MetricsCollector(services.GetRequiredService<IMeterFactory>());
        Host? host = null;
        try
        {
            host = new Host(options, loggers, metrics);
            await host.StartAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (host is not null) await host.DisposeUnstartedAsync();
            await error.WriteLineAsync(e.Message);
            return 1;
        }
        foreach (string address in host._server.Addresses) await output.WriteLineAsync($"listening on {address}");
        await output.FlushAsync();

        bool asked = await host.UntilEndAsync(stop);
        return await host.StopAsync() && asked ? 0 : 1;
    }

    private async Task StartAsync()
    {
        if (_options.Admin is { } address)
            _admin = await AdminServer.StartAsync(address, _readiness, () => [_server.GetInfo(), .. _engine.Control.GetInfo()], _metrics, _loggers, CancellationToken.None);
        await _server.StartAsync();
        _engine.Start();
        _readiness.Listening = true;
        HostLog.Started(_logger, ProgramVersion(), _options.Instance, _options.Upstream.ToString(), _options.Forwarding.Amqp.ToString(), _options.Admin?.ToString() ?? "off");
    }

    /// <summary>True when a stop was asked for, false when a part has ended by itself.</summary>
    private async Task<bool> UntilEndAsync(Task<string> stop)
    {
        var ended = await Task.WhenAny(stop, _transport.Completion, _server.Completion, _engine.Completion);
        if (ended == stop)
        {
            HostLog.Stopping(_logger, await stop);
            return true;
        }
        string part = ended == _transport.Completion ? "transport" : ended == _server.Completion ? "listener" : "forwarder";
        HostLog.PartEnded(_logger, part, ended.Exception?.GetBaseException());
        return false;
    }

    /// <summary>False when it took too long.</summary>
    private async Task<bool> StopAsync()
    {
        try
        {
            await StopPartsAsync().WaitAsync(StopDeadline);
            return true;
        }
        catch (TimeoutException)
        {
            HostLog.StopOverdue(_logger, StopDeadline.TotalSeconds);
            return false;
        }
    }

    private async Task StopPartsAsync()
    {
        _readiness.Listening = false;
        await TryAsync(() => _server.StopAsync(SessionsDeadline));
        await TryAsync(() => _transport.DisposeAsync().AsTask());
        await TryAsync(async () =>
        {
            long lost = await _engine.StopAsync(EventsDeadline);
            if (lost > 0) HostLog.StoppedWithLoss(_logger, lost);
            else HostLog.Stopped(_logger);
        });
        await TryAsync(() => _engine.DisposeAsync().AsTask());
        if (_admin is { } admin)
        {
            await TryAsync(() => admin.StopAsync(AdminDeadline));
            await TryAsync(() => admin.DisposeAsync().AsTask());
        }
        _hangup.Dispose();
    }

    /// <summary>After a failed start: the engine has not begun, nobody is connected.</summary>
    private async Task DisposeUnstartedAsync()
    {
        await TryAsync(() => _server.DisposeAsync().AsTask());
        await TryAsync(() => _transport.DisposeAsync().AsTask());
        await TryAsync(() => _engine.DisposeAsync().AsTask());
        if (_admin is { } admin) await TryAsync(() => admin.DisposeAsync().AsTask());
    }

    /// <summary>A part that cannot stop well must not keep the others from it.</summary>
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception e)
        {
            HostLog.StopFailed(_logger, e);
        }
    }

    private static string ProgramVersion() => typeof(Host).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
}
