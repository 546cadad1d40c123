using System.Diagnostics.Metrics;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Listen;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Metrics;

/// <summary>Do the metrics tell what the sessions have done?</summary>
public sealed class SessionMetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Meter _meter;
    private readonly MetricsCollector _collector;

    public SessionMetricsTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _collector = new MetricsCollector(meters);
        _meter = meters.Create(ProgramMetrics.MeterName);
    }

    public void Dispose()
    {
        _collector.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task What_passes_is_counted_once_while_a_session_lives_and_when_it_is_over()
    {
        var upstreams = new List<MemoryConnection>();
        var sessions = Registries.Make(upstreams, new ConnectTimes(_meter));
        SessionMetrics.Add(_meter, sessions);
        var (one, other) = (new MemoryConnection(), new MemoryConnection());
        sessions.Start(one);
        sessions.Start(other);
        await Eventually.TrueAsync(() => upstreams.Count == 2, "both are connected");
        var get = Request("GET", "a");
        await one.SendAsync(get + "PING\r\n");
        await upstreams[0].ExpectAsync(get + "PING\r\n");
        await upstreams[0].SendAsync("$1\r\n1\r\n+PONG\r\n");
        await one.ExpectAsync("$1\r\n1\r\n+PONG\r\n");
        await other.SendAsync(get);
        await upstreams[1].ExpectAsync(get);
        Expect("keyevt_sessions_active 2", "keyevt_sessions_opened_total 2", "keyevt_upstream_connect_duration_seconds_count 2");
        ExpectTraffic();

        one.Finish();
        Assert.Equal("", await upstreams[0].ReadToEndAsync());
        upstreams[0].Finish();
        await Eventually.TrueAsync(() => sessions.Count == 1, "the first session has ended");
        Expect("keyevt_sessions_active 1", "keyevt_sessions_opened_total 2", "keyevt_sessions_ended_total{reason=\"client_closed\"} 1", "keyevt_sessions_ended_total{reason=\"fault\"} 0");
        ExpectTraffic();
        await sessions.StopAsync(TimeSpan.Zero, TimeProvider.System);

        void ExpectTraffic() => Expect(
            $"keyevt_sessions_traffic_bytes_total{{direction=\"to_upstream\"}} {get.Length + 6 + get.Length}", "keyevt_sessions_traffic_bytes_total{direction=\"to_client\"} 14", "keyevt_sessions_requests_total 3");
    }

    [Fact]
    public async Task Own_commands_are_counted_by_name_and_outcome_and_are_no_traffic()
    {
        await using var test = new SessionUnderTest(interceptions: new InterceptMetrics(_meter, OwnCommand.MetricLabels, () => InterceptionState.On));
        Expect("keyevt_intercept_requests_total{command=\"info\",outcome=\"ok\"} 0", "keyevt_intercept_state{state=\"on\"} 1", "keyevt_intercept_state{state=\"no_echo\"} 0");
        await AskAsync("key_evt_amqp.INFO", ConfigGranted, "+DONE\r\n");
        await AskAsync("key_evt_amqp.info", "-NOPERM no\r\n", "-NOPERM no\r\n");
        await AskAsync("key_evt_amqp.secret", ConfigGranted, "+DONE\r\n");
        Expect(
            "keyevt_intercept_requests_total{command=\"info\",outcome=\"ok\"} 1", "keyevt_intercept_requests_total{command=\"info\",outcome=\"refused\"} 1",
            "keyevt_intercept_requests_total{command=\"unknown\",outcome=\"ok\"} 1");
        Assert.Equal(new SessionTraffic(0, "+DONE\r\n-NOPERM no\r\n+DONE\r\n".Length, 0), test.Session.Traffic);
        Assert.DoesNotContain("secret", Page(), StringComparison.Ordinal);

        test.Reply = "-ERR wrong\r\n";
        await AskAsync("key_evt_amqp.info", ConfigGranted, test.Reply);
        Expect("keyevt_intercept_requests_total{command=\"info\",outcome=\"ok\"} 1", "keyevt_intercept_requests_total{command=\"info\",outcome=\"error\"} 1");

        async Task AskAsync(string command, string answer, string reply)
        {
            await test.Client.SendAsync(Request(command));
            var (first, last) = await test.ReadConfigQuestionAsync();
            await test.Upstream.SendAsync(first + answer + last);
            await test.Client.ExpectAsync(reply);
        }
    }

    private void Expect(params string[] lines)
    {
        var page = Page().Split('\n');
        Assert.All(lines, line => Assert.Contains(line, page));
    }

    private string Page() => MetricsText.Write(_collector.Collect(), MetricsFormat.Prometheus);
}
