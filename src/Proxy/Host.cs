using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.InteropServices;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Text;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Server;
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
    /// <summary>Of all parts: only here it is said that it is the real one.</summary>
    private static readonly TimeProvider Clock = TimeProvider.System;

    private static readonly TimeSpan SessionsDeadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EventsDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AdminDeadline = TimeSpan.FromSeconds(1);

    /// <summary>For what a part does when its own deadline is over.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1.6);
    private static readonly TimeSpan PartDeadline = TimeSpan.FromSeconds(0.5);

    /// <summary>All of stopping; whoever supervises the program was promised 10 seconds.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(9.5);

    private readonly ProxyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly MetricsCollector? _metrics;
    private readonly OtlpExport? _export;
    private readonly ForwarderEngine _engine;
    private readonly ITransport _transport;
    private readonly ProxyServer _server;
    private readonly ProxyReadiness _readiness;
    private AdminServer? _admin;

    private readonly Certificates _certificates;
    private readonly PosixSignalRegistration _hangup;

    private Host(ProxyOptions options, ILoggerFactory loggers, IMeterFactory meters, MetricsCollector? metrics, OtlpExport? export)
    {
        _certificates = new Certificates(options.Tls, Clock);
        (_options, _loggers, _metrics, _export) = (options, loggers, metrics, export);
        _logger = loggers.CreateLogger("KeyEvt.Proxy.Host");
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true; // also without files: no reason to end
            ReadFilesAgain();
        });
        _engine = new ForwarderEngine(options.Forwarder, _certificates.Upstream, _certificates.Amqp, meters, Clock, loggers);
        _transport = new TlsTransport(
            TransportFactory.Create(options.Transport, options.Sockets, Clock), _certificates.Upstream, _certificates.Clients, options.Sockets,
            HandshakeLimits.OfThisProcess, Clock, loggers.CreateLogger<TlsTransport>());
        _server = new ProxyServer(
            options.Server, options.Forwarder.Upstream, _engine.Topology, _engine.Coverage, _transport,
            new KeyEvtCommands(_engine.Control, loggers.CreateLogger<KeyEvtCommands>()), meters.Create(ProgramMetrics.MeterName), loggers, Clock);
        _readiness = new ProxyReadiness(() => [.. _server.MissingNodePorts, .. _engine.MissingFeeds()], _engine.FeedNotes);
        ProgramMetrics.Add(meters.Create(ProgramMetrics.MeterName), _readiness, Clock);
    }

    /// <summary>Runs until <paramref name="stop"/> ends or a part dies. Exit code 0 after a stop that was asked for, 2 where --spool or a unix socket names a place that cannot be used, else 1.</summary>
    public static async Task<int> RunAsync(ProxyOptions options, TextWriter output, TextWriter error, Task<string> stop)
    {
        using var loggers = HostLog.CreateFactory(options.LogLevel);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        OtlpSettings? otlp;
        try
        {
            otlp = OtlpSettings.Read(Environment.GetEnvironmentVariable);
        }
        catch (FormatException e)
        {
            await error.WriteLineAsync(e.Message);
            return Application.WrongOption;
        }

        var meters = services.GetRequiredService<IMeterFactory>();
        using var metrics = options.Admin.Address is null ? null : new MetricsCollector(meters); // before the first instrument is told anything
        var export = OtlpExport.Start(otlp, [ForwarderMetrics.MeterName, ProgramMetrics.MeterName], ProgramMetrics.Version, options.Forwarder.Instance, Clock, loggers.CreateLogger<OtlpExport>());
        Host? host = null;
        try
        {
            host = new Host(options, loggers, meters, metrics, export);
            await host.StartAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (host is not null) await host.DisposeUnstartedAsync();
            await error.WriteLineAsync(CleanText.Line(e.Message));
            return e is SpoolException or SocketPathException ? Application.WrongOption : 1;
        }
        foreach (var address in host._server.Addresses) await output.WriteLineAsync($"listening on {address}");
        await output.FlushAsync();

        var asked = await host.UntilEndAsync(stop);
        return await host.StopAsync() && asked ? 0 : 1;
    }

    private async Task StartAsync()
    {
        _certificates.WarnOfInvalid(_logger);
        WarnOfExposedFiles();
        if (_options.Admin.Address is { } address)
        {
            var pages = new AdminPages(_readiness, () => [_server.GetInfo(), .. _engine.Control.GetInfo()], _metrics!, _options.Admin.Token is { } token ? new AdminToken(token) : null);
            _admin = await AdminServer.StartAsync(address, _options.Sockets, pages, _loggers, Clock, CancellationToken.None);
        }

        await _server.StartAsync();
        _engine.Start();
        _readiness.Listening = true;
        HostLog.Started(_logger, ProgramVersion(), _options.Forwarder.Instance, _options.Forwarder.Upstream.ToString(), _options.Forwarder.Initial.Amqp.ToString(), _options.Admin.Address?.ToString() ?? "off");
    }

    /// <summary>At SIGHUP. What cannot be used changes nothing.</summary>
    private void ReadFilesAgain()
    {
        WarnOfExposedFiles();
        _certificates.Reload(_logger);
        SecretFiles.Reload(_options.Secrets, _logger);
    }

    private void WarnOfExposedFiles()
    {
        foreach (var file in _options.Files)
        {
            if (file.Exposure() is { } exposure) HostLog.FileExposed(_logger, exposure);
        }
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
        var part = ended == _transport.Completion ? "transport" : ended == _server.Completion ? "listener" : "forwarder";
        HostLog.PartEnded(_logger, part, ended.Exception?.GetBaseException());
        return false;
    }

    /// <summary>False when it took too long, or when it is not known what has become of the events.</summary>
    private async Task<bool> StopAsync()
    {
        try
        {
            return await StopPartsAsync().WaitAsync(StopDeadline, Clock);
        }
        catch (TimeoutException)
        {
            HostLog.StopOverdue(_logger, StopDeadline.TotalSeconds);
            return false;
        }
    }

    private async Task<bool> StopPartsAsync()
    {
        var begun = Clock.GetTimestamp();
        _readiness.Listening = false;
        await TryAsync("the sessions", SessionsDeadline + Slack, () => _server.StopAsync(SessionsDeadline));
        await TryAsync("the transport", PartDeadline, () => _transport.DisposeAsync().AsTask());
        var left = StopDeadline - Clock.GetElapsedTime(begun) - Slack - PartDeadline;
        var events = left < EventsDeadline ? left : EventsDeadline;
        var isCounted = await TryAsync("the forwarder", events + PartDeadline, async () =>
        {
            var lost = await _engine.StopAsync(events);
            if (lost > 0) HostLog.StoppedWithLoss(_logger, lost);
            else HostLog.Stopped(_logger);
        });
        await Task.WhenAll(TryAsync("the forwarder's connections", Slack, () => _engine.DisposeAsync().AsTask()), StopAdminAsync(), StopExportAsync());
        _hangup.Dispose();
        return isCounted;
    }

    private async Task StopAdminAsync()
    {
        if (_admin is not { } admin) return;
        await TryAsync("the admin pages", Slack, async () =>
        {
            await admin.StopAsync(AdminDeadline);
            await admin.DisposeAsync();
        });
    }

    /// <summary>The last numbers are sent. Its library waits for them on the thread that asks.</summary>
    private async Task StopExportAsync()
    {
        if (_export is not { } export) return;
        await TryAsync("the export of metrics", Slack, () => Task.Run(() => export.Stop(AdminDeadline)));
    }

    /// <summary>After a failed start: the engine has not begun, nobody is connected.</summary>
    private async Task DisposeUnstartedAsync()
    {
        await TryAsync("the listeners", Slack, () => _server.DisposeAsync().AsTask());
        await TryAsync("the transport", PartDeadline, () => _transport.DisposeAsync().AsTask());
        await TryAsync("the forwarder", Slack, () => _engine.DisposeAsync().AsTask());
        await StopAdminAsync();
    }

    /// <summary>A part that cannot stop well, or does not stop at all, must not keep the others from it. False: it is one.</summary>
    private async Task<bool> TryAsync(string part, TimeSpan deadline, Func<Task> step)
    {
        var stopping = step();
        try
        {
            await stopping.WaitAsync(deadline, Clock);
            return true;
        }
        catch (TimeoutException) when (!stopping.IsCompleted)
        {
            HostLog.PartOverdue(_logger, part, deadline.TotalSeconds);
            return false;
        }
        catch (Exception e)
        {
            HostLog.StopFailed(_logger, part, e);
            return false;
        }
    }

    private static string ProgramVersion() => typeof(Host).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
}
