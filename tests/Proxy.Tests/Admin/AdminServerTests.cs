using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Admin;

/// <summary>Do the admin pages and keyevt health say what is so?</summary>
public sealed class AdminServerTests : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeReadiness _readiness = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private MetricsCollector _metrics = null!;
    private AdminServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _metrics = new MetricsCollector(_services.GetRequiredService<IMeterFactory>());
        _server = await StartAsync(TransportAddress.Tcp("127.0.0.1", 0));
        _http.BaseAddress = new Uri(Assert.Single(_server.Addresses));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _metrics.Dispose();
        _http.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Alive_is_alive_also_when_not_ready()
    {
        _readiness.Lines = ["the feed is not subscribed"];
        Assert.Equal((HttpStatusCode.OK, "alive\n"), await GetAsync("/healthz"));
    }

    [Fact]
    public async Task Ready_says_what_is_missing_line_by_line()
    {
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync("/readyz"));
        _readiness.MoreLines = ["a letter\nis lacking"];
        Assert.Equal((HttpStatusCode.OK, "ready\na letter is lacking\n"), await GetAsync("/readyz"));
        _readiness.Lines = ["the upstream does not answer", "the feed is not subscribed"];
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the upstream does not answer\nthe feed is not subscribed\n"), await GetAsync("/readyz"));
    }

    [Fact]
    public async Task Metrics_have_the_content_type_of_prometheus()
    {
        using var answer = await _http.GetAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("# TYPE dotnet_timers gauge\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Who_asks_for_OpenMetrics_gets_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/metrics", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.EndsWith("\n# EOF\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Other_paths_are_not_found_and_other_methods_not_allowed()
    {
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/etc/passwd")).Status);
        using var answer = await _http.PostAsync(new Uri("/healthz", UriKind.Relative), null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task A_taken_port_is_an_io_exception()
    {
        var taken = TransportAddress.Tcp("127.0.0.1", _http.BaseAddress!.Port);
        var e = await Assert.ThrowsAsync<IOException>(() => StartAsync(taken));
        Assert.StartsWith($"cannot listen on {taken} for the admin pages: ", e.Message);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task Health_ends_with_0_when_the_proxy_lives(string address)
    {
        using var output = new StringWriter();
        var admin = TransportAddress.Tcp(address, _http.BaseAddress!.Port);
        Assert.Equal(0, await HealthProbe.RunAsync(new AdminOptions { Address = admin }, TimeProvider.System, output, output));
        Assert.Equal("alive", output.ToString().TrimEnd());
    }

    [Fact]
    public async Task Health_works_over_a_unix_socket()
    {
        var path = Path.Combine(Path.GetTempPath(), $"keyevt-{Guid.NewGuid():n}.sock");
        var address = TransportAddress.Unix(path);
        await using (await StartAsync(address))
        {
            using var output = new StringWriter();
            Assert.Equal(0, await HealthProbe.RunAsync(new AdminOptions { Address = address }, TimeProvider.System, output, output));
        }
        File.Delete(path);
    }

    [Fact]
    public async Task Health_ends_with_1_and_the_reason_when_nobody_answers()
    {
        var address = TransportAddress.Tcp("127.0.0.1", _http.BaseAddress!.Port);
        await _server.StopAsync(TimeSpan.FromSeconds(5));
        using var output = new StringWriter();
        Assert.Equal(1, await HealthProbe.RunAsync(new AdminOptions { Address = address }, TimeProvider.System, output, output));
        Assert.StartsWith($"{address} does not answer: ", output.ToString());
        Assert.Equal(1, await HealthProbe.RunAsync(new AdminOptions { Address = null }, TimeProvider.System, output, output));
    }

    [Fact]
    public async Task Health_ends_with_1_after_3_seconds_without_an_answer()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new FakeTimeProvider();
        using var output = new StringWriter();
        var asking = HealthProbe.RunAsync(new AdminOptions { Address = TransportAddress.Tcp("127.0.0.1", ((IPEndPoint)silent.LocalEndpoint).Port) }, time, output, output);
        using var asked = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(1, await asking.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.EndsWith("does not answer: timed out", output.ToString().TrimEnd(), StringComparison.Ordinal);
    }

    private Task<AdminServer> StartAsync(TransportAddress address, AdminToken? token = null, SocketSettings? sockets = null)
    {
        var pages = new AdminPages(_readiness, () => [new InfoSection("ledger", [new("received", "7")])], _metrics, token);
        return AdminServer.StartAsync(address, sockets ?? new SocketSettings(), pages, NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private sealed class FakeReadiness : IReadiness
    {
        public IReadOnlyList<string> Lines { get; set; } = [];

        public IReadOnlyList<string> MoreLines { get; set; } = [];

        public IReadOnlyList<string> Missing() => Lines;

        public IReadOnlyList<string> Notes() => MoreLines;
    }
}
