// Sentinels and nodes over TLS: is a failover followed, and is a certificate for another name refused in clear words?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Tls;

public sealed class SentinelTlsTests(SharedBroker broker) : IDisposable
{
    private readonly TlsFolder _tls = new();

    public void Dispose() => _tls.Dispose();

    [Fact]
    public async Task Sentinels_feeds_sessions_fallback_storage_and_check_work_over_TLS_through_a_failover()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await using var sentinel = await SentinelServers.StartAsync(["tls-replication yes", .. _tls.NodeLines()]);
        Assert.StartsWith("rediss+sentinel://", sentinel.Url, StringComparison.Ordinal);
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        string[] options = ["--upstream", sentinel.Url, "--upstream-ca", _tls.Ca, "--amqp", rabbit.UrlWith(port: relay.Port), "--routing-key", queue, "--keymask", "ALL", "--events", "$"];
        MinimalRights.AllWorks(await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]), anybodyMayForge: true);

        await using var program = await KeyEvtProcess.StartAsync(options);
        await using var client = await program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("SET", "one", "1")).Text);
        await consumer.WaitForTextsAsync("0\nset\none");

        var master = await sentinel.FailoverAsync();
        Assert.Empty(await client.ReadToEndAsync(TimeSpan.FromSeconds(20)));
        await Eventually.TrueAsync("a write to the new master", async () => !(await program.CallAsync("SET", "two", "2")).IsError, TimeSpan.FromSeconds(20));
        Assert.Equal("2", (await master.CallAsync("GET", "two")).Text);
        await Eventually.TrueAsync("the event of the new master", () => consumer.Received.Any(message => message.Key == "two"));

        await program.SettledAsync();
        relay.Cut();
        await program.CallAsync("SET", "three", "3");
        await Eventually.TrueAsync("the event in the fallback storage", async () => (await master.CallAsync("LLEN", Stage.FallbackKey)).Integer == 1, TimeSpan.FromSeconds(30));
        relay.Accept();
        await Eventually.TrueAsync("the stored event", () => consumer.Received.Any(message => message.Key == "three"), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Certificates_for_another_name_than_the_address_are_refused_in_clear_words()
    {
        await using var sentinel = await SentinelServers.StartAsync(["tls-replication yes", .. _tls.NodeLines(_tls.Authority.Issue("redis.example"))]);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", sentinel.Url, "--upstream-ca", _tls.Ca, "--amqp", "amqp://guest:guest@127.0.0.1:1/"], waitReady: false);
        await Eventually.ValueAsync(
            "the fault", program.AdminInfoAsync,
            info => info["upstream.topology_error"] is var error && error.Contains("redis.example", StringComparison.Ordinal) && error.Contains("127.0.0.1", StringComparison.Ordinal));
        await using var client = await program.ConnectAsync();
        await client.SendAsync("PING\r\n");
        Assert.Equal("", await client.ReadTextToEndAsync(TimeSpan.FromSeconds(30))); // no master is known: waited for, then reset
    }
}
