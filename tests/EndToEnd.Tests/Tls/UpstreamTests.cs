// Do all of the program's own connections to Redis and RabbitMQ go over TLS when they are told to?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Tls;

public sealed class UpstreamTests : IDisposable
{
    private readonly TlsFolder _tls = new();
    private readonly int _redisPort = FreePorts.Take();
    private readonly int _rabbitPort = FreePorts.Take();

    private string[] Options
    {
        get
        {
            var (cert, key) = _tls.Write("mine", _tls.Authority.Issue("keyevt"));
            return
            [
                "--upstream", $"rediss://localhost:{_redisPort}", "--upstream-ca", _tls.Ca, "--upstream-cert", cert, "--upstream-key", key,
                "--amqp", $"amqps://guest:guest@localhost:{_rabbitPort}/", "--amqp-ca", _tls.Ca, "--amqp-cert", cert, "--amqp-key", key,
            ];
        }
    }

    public void Dispose() => _tls.Dispose();

    [Fact]
    public async Task Sessions_feed_fallback_storage_check_and_broker_work_over_TLS_with_client_certificates()
    {
        await using var redis = await _tls.StartRedisAsync(_redisPort, authClients: "yes");
        await using var rabbit = await _tls.StartRabbitAsync(_rabbitPort, asksForCertificate: true);
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue);
        var check = await KeyEvtProcess.RunAsync(["check", .. Options, "--keymask", "ALL", "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
        Assert.True(check.ExitCode == 0, check.ToString());
        Assert.Contains("TLS 1.3, certificate valid until", check.Output, StringComparison.Ordinal);

        await using var program = await KeyEvtProcess.StartAsync([.. Options, "--keymask", "ALL", "--events", "A", "--routing-key", queue]);
        await redis.CallAsync("ACL", "SETUSER", "plainly", "on", "nopass", "+@all", "~*");
        Assert.Equal("OK", (await program.CallAsync("SET", "one", "1")).Text);
        await Eventually.TrueAsync("the event", () => consumer.Received.Any(message => message.Text.EndsWith("\none", StringComparison.Ordinal)));

        await rabbit.StopAsync();
        Assert.Equal("OK", (await program.CallAsync("SET", "two", "2")).Text);
        await Eventually.TrueAsync("the event in the fallback storage", async () => (await redis.CallAsync("LLEN", Stage.FallbackKey)).Integer == 1, TimeSpan.FromSeconds(30));
        await rabbit.RestartAsync();
        await Eventually.TrueAsync("the stored event", () => consumer.Received.Any(message => message.Text.EndsWith("\ntwo", StringComparison.Ordinal)), TimeSpan.FromSeconds(60));

        // Whoever came to Redis' plain port came from this test.
        var clients = (await redis.CallAsync("CLIENT", "LIST")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(clients, client => client.Contains($"laddr=127.0.0.1:{redis.Port} ", StringComparison.Ordinal));
        Assert.True(clients.Count(client => client.Contains($":{_redisPort} ", StringComparison.Ordinal)) >= 2, string.Join('\n', clients));
    }

    [Fact]
    public async Task Without_TLS_at_the_port_with_TLS_log_readyz_and_check_ask_whether_it_is_that()
    {
        const string Question = "is it the port with TLS? Then write rediss:// instead of redis://";
        await using var redis = await _tls.StartRedisAsync(_redisPort);
        foreach (var upstream in (string[])[$"redis://127.0.0.1:{_redisPort}", $"redis+cluster://127.0.0.1:{_redisPort}"])
        {
            string[] options = ["--upstream", upstream, "--amqp", "amqp://guest:guest@127.0.0.1:1/"];
            await using var program = await KeyEvtProcess.StartAsync(options, waitReady: false);
            await Eventually.TrueAsync("the question in the log", () => program.Process.AllText.Contains(Question, StringComparison.Ordinal));
            await Eventually.ValueAsync("the question in readyz", () => program.GetAsync("/readyz"), answer => answer.Body.Contains(Question, StringComparison.Ordinal) && answer.Status == System.Net.HttpStatusCode.ServiceUnavailable);
            var check = await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
            Assert.Equal(1, check.ExitCode);
            Assert.Contains(Question, check.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SIGHUP_reads_the_upstreams_authorities_again()
    {
        using var next = new TestAuthority("the next authority");
        var (cert, key) = _tls.Write("redis", next.Issue("localhost"));
        await using var redis = await RedisServer.StartAsync($"tls-port {_redisPort}", $"tls-cert-file {cert}", $"tls-key-file {key}", $"tls-ca-cert-file {_tls.Ca}", "tls-auth-clients no");
        using var folder = new PrivateFolder("authorities");
        var authorities = folder.Write("ca.pem", _tls.Authority.Pem);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", $"rediss://localhost:{_redisPort}", "--upstream-ca", authorities], waitReady: false);
        await using (var client = await program.ConnectAsync()) Assert.Equal("", await client.ReadTextToEndAsync());
        await Eventually.TrueAsync("the reason in the log", () => program.Process.AllText.Contains("which the authorities in --upstream-ca", StringComparison.Ordinal));

        folder.Write("ca.pem", next.Pem);
        program.Process.Signal(ChildProcess.SigHup);
        await Eventually.TrueAsync("it to be trusted", async () => (await program.CallAsync("PING")).Text == "PONG");
        await program.ReadyAsync();
    }
}
