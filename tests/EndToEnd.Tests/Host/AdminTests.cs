// What do health checks and metrics say?
using System.Net;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

public sealed class AdminTests(SharedBroker broker)
{
    [Fact]
    public async Task Alive_and_ready_are_two_things()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            Assert.Equal(HttpStatusCode.OK, (await stage.Program.GetAsync("/healthz")).Status);
            Assert.Equal(HttpStatusCode.OK, (await stage.Program.GetAsync("/readyz")).Status);
            await stage.Redis.KillAsync();
            var answer = await Eventually.ValueAsync("it to be not ready", () => stage.Program.GetAsync("/readyz"), answer => answer.Status == HttpStatusCode.ServiceUnavailable);
            Assert.NotEmpty(answer.Body);
            Assert.Equal(HttpStatusCode.OK, (await stage.Program.GetAsync("/healthz")).Status);
            await stage.Redis.RestartAsync();
            await stage.Program.ReadyAsync();
        });
    }

    [Fact]
    public async Task A_broker_that_is_away_leaves_it_ready()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { AmqpPort = FreePorts.Take(), Queue = false }, async stage =>
        {
            await stage.CallAsync("SET", "k", "v");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1);
            Assert.Equal(HttpStatusCode.OK, (await stage.Program.GetAsync("/readyz")).Status);
        });
    }

    [Fact]
    public async Task Metrics_are_prometheus_text_and_count_events()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 123);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 123);
            var (status, body) = await stage.Program.GetAsync("/metrics");
            Assert.Equal(HttpStatusCode.OK, status);
            var lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.All(lines, line => Assert.Matches("^(# (TYPE|HELP|UNIT|EOF).*|keyevt_[a-zA-Z0-9_:]+(\\{.*\\})? [-+0-9.eEINFNa]+( [0-9]+)?|[a-zA-Z_:][a-zA-Z0-9_:]*(\\{.*\\})? [-+0-9.eEINFNa]+)$", line));
            Assert.Contains(lines, line => line.StartsWith("keyevt_", StringComparison.Ordinal) && line.EndsWith(" 123", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task Other_paths_and_methods_are_refused()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            Assert.Equal(HttpStatusCode.NotFound, (await stage.Program.GetAsync("/nosuch")).Status);
            using var http = new HttpClient();
            using var answer = await http.PostAsync(new Uri($"http://127.0.0.1:{stage.Program.AdminPort}/healthz"), null, TestContext.Current.CancellationToken);
            Assert.False(answer.IsSuccessStatusCode);
        });
    }

    [Fact]
    public async Task The_program_asks_itself_for_its_health()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            string[] arguments = ["health", "--admin", $"127.0.0.1:{stage.Program.AdminPort}"];
            Assert.Equal(0, (await KeyEvtProcess.RunAsync(arguments)).ExitCode);
            await stage.Program.KillAsync();
            Assert.Equal(1, (await KeyEvtProcess.RunAsync(arguments)).ExitCode);
        });
    }

    [Fact]
    public async Task Switched_off_there_is_no_admin_port()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePorts.Take();
        using var process = await StartBareAsync(["--listen", $"127.0.0.1:{port}", "--admin", "off", "--upstream", redis.Url], port);
        await using var client = await RespClient.ConnectAsync(port);
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        Assert.Equal(port, Assert.Single(ListeningPorts(process.Id)));
    }

    private static async Task<ChildProcess> StartBareAsync(string[] arguments, int port)
    {
        var process = KeyEvtProcess.Launch(arguments);
        await process.LineAsync("where it listens", line => line.Contains($"127.0.0.1:{port}", StringComparison.Ordinal));
        return process;
    }

    /// <summary>From the sockets among the process's files, and /proc/net/tcp, where state 0A is listening.</summary>
    private static IEnumerable<int> ListeningPorts(int process)
    {
        var inodes = Directory.GetFileSystemEntries($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget).Where(target => target?.StartsWith("socket:[", StringComparison.Ordinal) == true)
            .Select(target => target![8..^1]).ToHashSet();
        return File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A" && inodes.Contains(fields[9])).Select(fields => Convert.ToInt32(fields[1].Split(':')[1], 16));
    }
}
