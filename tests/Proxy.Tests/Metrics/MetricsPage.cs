using System.Text;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Proxy.Metrics;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Writes docs/metrics.md: the definitions of all instruments, by area, between two texts that stand here.</summary>
internal static class MetricsPage
{
    private const string Head = """
        # Metrics

        KeyEvt tells what it does in numbers that Prometheus reads. This page lists all of them.

        Written by the test `MetricsPageTests` from the program's own definitions. Run it with `KEYEVT_WRITE_DOCS=1` to write it anew.

        ## How to read them

        Let Prometheus scrape the admin address (`--admin`, default `127.0.0.1:6381`):

        ```yaml
        scrape_configs:
          - job_name: keyevt
            static_configs:
              - targets: ['127.0.0.1:6381']
            # Only with --admin-token-file:
            # authorization:
            #   credentials_file: /run/secrets/keyevt-admin-token
        ```

        - `/metrics` answers in the Prometheus text format 0.0.4. Whoever asks for `application/openmetrics-text` in the Accept header gets OpenMetrics 1.0.
        - A counter only grows while the program runs. Use `rate()` or `increase()` on it.
        - A state is told in one series for each value. The one that holds is 1, all others are 0.
        - A histogram has the series `_bucket`, `_sum` and `_count`.
        - The label `node` is the id of a cluster node. Elsewhere it is the node's address. No label ever holds a key, a user or a client's address.
        - Each number is read at its own moment. While events flow, two numbers of one page may differ by the events between them. `keyevt_events_unaccounted` is made of one moment.
        - `key_evt_amqp.info` and `/readyz` read the same counters and states as this page.

        """;

    private const string Runtime = """
        ## .NET runtime

        The page also has the numbers of the .NET runtime itself, named `dotnet_*`: memory, garbage collections, thread pool, processor time.
        They are the instruments of the meter `System.Runtime`, described in the documentation of .NET.

        """;

    private const string Otlp = """
        ## OTLP

        KeyEvt can also send its metrics to an OpenTelemetry collector. It does so when one of these variables is set:

        - `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector's address, such as `http://collector:4317`.
        - `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`: the same for metrics only. With http/protobuf it is the whole address, such as `http://collector:4318/v1/metrics`.
        - `OTEL_METRICS_EXPORTER=otlp`: to the default address, `http://localhost:4317`.

        `OTEL_METRICS_EXPORTER=none` and `OTEL_SDK_DISABLED=true` switch it off. These variables change how it is done:

        | variable | default | meaning |
        | --- | --- | --- |
        | `OTEL_EXPORTER_OTLP_PROTOCOL` | `grpc` | `grpc` or `http/protobuf`; also `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL` |
        | `OTEL_EXPORTER_OTLP_HEADERS` | | `name=value,...`, such as a token; also `OTEL_EXPORTER_OTLP_METRICS_HEADERS` |
        | `OTEL_EXPORTER_OTLP_TIMEOUT` | `10000` | milliseconds for one attempt |
        | `OTEL_METRIC_EXPORT_INTERVAL` | `60000` | milliseconds from one to the next |
        | `OTEL_SERVICE_NAME` | `keyevt` | name of the service |
        | `OTEL_RESOURCE_ATTRIBUTES` | | further attributes, `name=value,...` |

        The names are those of the instruments, with points: `keyevt.events.received`. The unit is an attribute of its own. Prometheus and OTLP can be used at the same time.
        A collector that cannot be reached is a warning in the log, at most once a minute. Nothing else waits for it.

        """;

    public static string Write()
    {
        var page = new StringBuilder(Head);
        foreach (var area in ProgramMetrics.Areas) Write(page, area);
        return page.Append('\n').Append(Runtime).Append('\n').Append(Otlp).ToString();
    }

    private static void Write(StringBuilder page, MetricArea area)
    {
        page.Append("\n## ").Append(area.Title).Append("\n\n| name | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n");
        foreach (var one in area.Definitions)
        {
            page.Append("| `").Append(PrometheusName.Of(one.Name, one.Unit, one.Kind).Sample).Append("` | ")
                .Append(one.Kind.ToString().ToLowerInvariant()).Append(" | ")
                .Append(UnitOf(one)).Append(" | ")
                .AppendJoin(", ", one.Labels.Select(label => $"`{label}`")).Append(one.Labels.Length > 0 ? " | " : "| ")
                .Append(one.Meaning).Append(" |\n");
        }
    }

    private static string UnitOf(MetricDefinition definition) => definition.Unit switch
    {
        "s" => "seconds",
        "By" => "bytes",
        "" => "0 or 1",
        var counted => counted.Trim('{', '}') + "s",
    };
}
