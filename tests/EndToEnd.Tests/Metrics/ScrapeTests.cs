// Is what a running program says on /metrics what Prometheus takes, and what docs/metrics.md promises?
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Proxy;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Metrics;

public sealed partial class ScrapeTests(SharedBroker broker)
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0";

    [Fact]
    public async Task Under_traffic_promtool_has_nothing_to_say_about_the_page()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await TrafficAsync(stage);
            var page = await GetAsync(stage, "text/plain");
            Assert.Equal("text/plain; version=0.0.4; charset=utf-8", page.Type);
            var checkedBy = await Run.ToEndAsync(Promtool(), ["check", "metrics"], Encoding.UTF8.GetBytes(page.Body));
            Assert.Equal("", checkedBy.Output + checkedBy.Errors);
            Assert.Equal(0, checkedBy.ExitCode);
        });
    }

    [Fact]
    public async Task The_numbers_are_those_of_what_happened_and_of_info()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await TrafficAsync(stage);
            var (_, body) = await GetAsync(stage, "text/plain");
            var info = await stage.Program.AdminInfoAsync();
            Assert.Equal("123", info["ledger.confirmed"]);
            var values = Samples(body);
            Assert.Equal(123, values["keyevt_events_confirmed_total"]);
            Assert.Equal(123, values["keyevt_events_received_total"]);
            Assert.Equal(123, values["keyevt_events_age_seconds_count"]);
            Assert.Equal(123, values["keyevt_broker_confirm_duration_seconds_count"]);
            Assert.InRange(values["keyevt_events_age_seconds_sum"], 0, 123 * 60);
            Assert.Equal(0, values["keyevt_events_waiting{place=\"memory\"}"]);
            Assert.Equal(0, values["keyevt_events_unaccounted"]);
            Assert.Equal(1, values["keyevt_ready"]);
            Assert.Equal(1, values["keyevt_broker_connected"]);
            Assert.InRange(values["keyevt_sessions_requests_total"], 123, 1000);
            Assert.InRange(values["keyevt_sessions_traffic_bytes_total{direction=\"to_client\"}"], 123 * "+OK\r\n".Length, 1_000_000);
            Assert.InRange(values["keyevt_intercept_requests_total{command=\"info\",outcome=\"ok\"}"], 1, 1000);
            Assert.Single(values, one => one.Key.StartsWith("keyevt_feed_subscribed{node=", StringComparison.Ordinal) && one.Value == 1);
            Assert.Single(values, one => one.Key.StartsWith("keyevt_build_info{", StringComparison.Ordinal) && one.Value == 1);
        });
    }

    [Fact]
    public async Task What_is_not_ready_says_so()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            await stage.Redis.KillAsync();
            await Eventually.ValueAsync("ready to be 0", async () => Samples((await GetAsync(stage, "text/plain")).Body)["keyevt_ready"], ready => ready == 0);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await stage.Program.GetAsync("/readyz")).Status);
            await stage.Redis.RestartAsync();
            await stage.Program.ReadyAsync();
        });
    }

    [Fact]
    public async Task Both_formats_have_the_metrics_of_the_documentation_and_no_others()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Options = ["--group", "scraped"] }, async stage =>
        {
            await TrafficAsync(stage);
            var (type, open) = await GetAsync(stage, OpenMetrics);
            Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", type);
            Assert.EndsWith("\n# EOF\n", open, StringComparison.Ordinal);
            var defined = ProgramMetrics.Areas.SelectMany(area => area.Definitions).ToList();
            Assert.Equal(TypeLines(defined, isOpen: true), OwnTypeLines(open));
            Assert.Equal(TypeLines(defined, isOpen: false), OwnTypeLines((await GetAsync(stage, "*/*")).Body));
        });
    }

    private static async Task TrafficAsync(Stage stage)
    {
        await using var client = await stage.ConnectAsync();
        await Changes.SetAsync(client, "k", 123);
        await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 123);
    }

    private static IEnumerable<string> TypeLines(IEnumerable<MetricDefinition> defined, bool isOpen) => defined
        .Select(one => (Name: PrometheusName.Of(one.Name, one.Unit, one.Kind), one.Kind))
        .Select(one => $"# TYPE {(isOpen ? one.Name.Family : one.Name.Sample)} {one.Kind.ToString().ToLowerInvariant()}").Order(StringComparer.Ordinal);

    private static IEnumerable<string> OwnTypeLines(string page) =>
        page.Split('\n').Where(line => line.StartsWith("# TYPE keyevt_", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static Dictionary<string, double> Samples(string page) => page.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line[0] != '#').Select(line => Sample().Match(line)).ToDictionary(match => match.Groups[1].Value, match => double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));

    private static async Task<(string Type, string Body)> GetAsync(Stage stage, string accept)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{stage.Program.AdminPort}/metrics"));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.Content.Headers.ContentType!.ToString(), await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Where scripts/need.sh puts it, or where the system has it.</summary>
    private static string Promtool()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("not inside the repository");
        }

        var own = Path.Combine(folder.FullName, "artifacts", "promtool", "promtool");
        return File.Exists(own) ? own : "promtool";
    }

    [GeneratedRegex("^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\\{.*\\})?) ([-+0-9.eEINFNa]+)$")]
    private static partial Regex Sample();
}
