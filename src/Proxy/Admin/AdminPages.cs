using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Text;
using KeyEvt.Proxy.Metrics;
using Microsoft.AspNetCore.Http;

namespace KeyEvt.Proxy.Admin;

/// <summary>What do the admin pages show, and to whom? No page changes anything, and no page shows a secret.</summary>
/// <param name="token">Null if everybody who reaches the port may read all pages.</param>
internal sealed class AdminPages(IReadiness readiness, Func<IReadOnlyList<InfoSection>> info, MetricsCollector metrics, AdminToken? token)
{
    private const string Page = """
        keyevt
          /healthz  the process is alive
          /readyz   clients are served and events are heard; else what is missing
          /metrics  for Prometheus: its text format, or OpenMetrics for who asks for that
          /info     what key_evt_amqp.info says

        """;

    public Task AnswerAsync(HttpContext context, AdminHosts hosts)
    {
        if (!hosts.Accept(context.Request.Host))
        {
            return WriteAsync(context, StatusCodes.Status403Forbidden, "this Host header is not answered: ask by localhost, 127.0.0.1, [::1] or the host of --admin\n");
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            return WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET\n");
        }

        return context.Request.Path.Value switch
        {
            "/healthz" => WriteAsync(context, StatusCodes.Status200OK, "alive\n"),
            "/readyz" => ReadyAsync(context),
            _ when token is not null && !token.IsIn(context.Request.Headers.Authorization.ToString()) => RefuseAsync(context),
            "/metrics" => MetricsAsync(context),
            "/info" => WriteAsync(context, StatusCodes.Status200OK, InfoText()),
            "/" => WriteAsync(context, StatusCodes.Status200OK, Page),
            _ => WriteAsync(context, StatusCodes.Status404NotFound, Page),
        };
    }

    private Task MetricsAsync(HttpContext context)
    {
        var format = MetricsFormat.For(context.Request.Headers.Accept);
        context.Response.Headers.Vary = "Accept";
        return WriteAsync(context, StatusCodes.Status200OK, MetricsText.Write(metrics.Collect(), format), format.ContentType);
    }

    private string InfoText()
    {
        var text = new StringBuilder();
        foreach (var section in info())
        {
            text.Append("# ").Append(section.Name).Append("\r\n");
            foreach (var (name, value) in section.Fields) text.Append(name).Append(':').Append(CleanText.Line(value)).Append("\r\n");
            text.Append("\r\n");
        }
        return text.ToString();
    }

    private Task ReadyAsync(HttpContext context)
    {
        var missing = readiness.Missing();
        return missing.Count == 0
            ? WriteAsync(context, StatusCodes.Status200OK, Lines(["ready", .. readiness.Notes()]))
            : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, Lines(missing));
    }

    private static string Lines(IEnumerable<string> parts) => string.Join('\n', parts.Select(static part => CleanText.Line(part))) + "\n";

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return WriteAsync(context, StatusCodes.Status401Unauthorized, "this page needs the header Authorization: Bearer, with the token of --admin-token-file\n");
    }

    private static Task WriteAsync(HttpContext context, int status, string text, string contentType = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, context.RequestAborted);
    }
}
