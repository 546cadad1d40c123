using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Proxy.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// How does the outside see whether the program is well? HTTP with /healthz (the process answers), /readyz (it can serve), /metrics, /info. Nothing
/// here changes anything, and nothing here shows a secret. An empty web application: no files, no environment, no signals of its own.
/// </summary>
internal sealed class AdminServer : IAsyncDisposable
{
    private const string Page = """
        keyevt
          /healthz  the process is alive
          /readyz   clients are served and events are heard; else what is missing
          /metrics  Prometheus text
          /info     what key_evt_amqp.info says

        """;

    private readonly WebApplication _app;
    private readonly IReadiness _readiness;
    private readonly Func<IReadOnlyList<InfoSection>> _info;
    private readonly MetricsCollector _metrics;

    private AdminServer(WebApplication app, IReadiness readiness, Func<IReadOnlyList<InfoSection>> info, MetricsCollector metrics)
    {
        (_app, _readiness, _info, _metrics) = (app, readiness, info, metrics);
        _app.Run(AnswerAsync);
    }

    /// <summary>Where it listens, the port as the system chose it.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    /// <summary>Listens.</summary>
    /// <exception cref="IOException">The address cannot be listened on; the message names it.</exception>
    public static async Task<AdminServer> StartAsync(TransportAddress address, IReadiness readiness, Func<IReadOnlyList<InfoSection>> info, MetricsCollector metrics, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 4096;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            if (address.UnixPath is { } path) kestrel.ListenUnixSocket(path);
            else if (address.ToEndPoint() is IPEndPoint ip) kestrel.Listen(ip);
        });
        if (address.ToEndPoint() is DnsEndPoint) builder.WebHost.UseUrls($"http://{address}");

        var server = new AdminServer(builder.Build(), readiness, info, metrics);
        try
        {
            await server._app.StartAsync(cancellationToken);
            return server;
        }
        catch (Exception e)
        {
            await server.DisposeAsync();
            if (e is not (IOException or SocketException or InvalidOperationException)) throw;
            throw new IOException($"cannot listen on {address} for the admin pages: {e.GetBaseException().Message}", e);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    public async Task StopAsync(TimeSpan deadline)
    {
        using var end = new CancellationTokenSource(deadline);
        await _app.StopAsync(end.Token);
    }

    private Task AnswerAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET\n");
        return context.Request.Path.Value switch
        {
            "/healthz" => WriteAsync(context, StatusCodes.Status200OK, "alive\n"),
            "/readyz" => ReadyAsync(context),
            "/metrics" => WriteAsync(context, StatusCodes.Status200OK, MetricsText.Write(_metrics.Collect(), _info()), MetricsText.ContentType),
            "/info" => WriteAsync(context, StatusCodes.Status200OK, InfoText()),
            "/" => WriteAsync(context, StatusCodes.Status200OK, Page),
            _ => WriteAsync(context, StatusCodes.Status404NotFound, Page),
        };
    }

    private string InfoText()
    {
        var text = new StringBuilder();
        foreach (var section in _info())
        {
            text.Append("# ").Append(section.Name).Append("\r\n");
            foreach (var (name, value) in section.Fields) text.Append(name).Append(':').Append(CleanText.Line(value)).Append("\r\n");
            text.Append("\r\n");
        }
        return text.ToString();
    }

    private Task ReadyAsync(HttpContext context)
    {
        var missing = _readiness.Missing();
        return missing.Count == 0
            ? WriteAsync(context, StatusCodes.Status200OK, Lines(["ready", .. _readiness.Notes()]))
            : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, Lines(missing));
    }

    private static string Lines(IEnumerable<string> parts) => string.Join('\n', parts.Select(static part => CleanText.Line(part))) + "\n";

    private static Task WriteAsync(HttpContext context, int status, string text, string contentType = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>Signals are the program's business, not the web application's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
