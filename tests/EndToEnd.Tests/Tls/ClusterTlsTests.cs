// A cluster over TLS: is a failover followed, do clients come through the port of a cluster's nodes, and is a certificate for another name refused in clear words?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Tls;

public sealed class ClusterTlsTests(SharedBroker broker) : IDisposable
{
    private readonly TlsFolder _tls = new();

    public void Dispose() => _tls.Dispose();

    [Fact]
    public async Task Feeds_node_ports_fallback_storage_and_check_work_over_TLS_through_a_failover()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await using var cluster = await RedisClusterServers.StartAsync(["tls-cluster yes", "tls-replication yes", .. _tls.NodeLines()]);
        Assert.StartsWith("rediss+cluster://", cluster.Url, StringComparison.Ordinal);
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        string[] options = ["--upstream", cluster.Url, "--upstream-ca", _tls.Ca, "--amqp", rabbit.UrlWith(port: relay.Port), "--routing-key", queue, "--keymask", "ALL", "--events", "$"];
        MinimalRights.AllWorks(await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]), anybodyMayForge: true);

        await using var program = await KeyEvtProcess.StartAsync([.. options, "--listen-base", FreePorts.TakeRange(12).ToString(CultureInfo.InvariantCulture)]);
        await SetAsync(program, "one");
        await consumer.WaitForTextsAsync("0\nset\none");

        await cluster.FailoverAsync(await cluster.MasterOfAsync("two"));
        await SetAsync(program, "two");
        await Eventually.TrueAsync("the event of the new master", () => consumer.Received.Any(message => message.Key == "two"), TimeSpan.FromSeconds(20));

        await program.SettledAsync();
        relay.Cut();
        await SetAsync(program, "three");
        await Eventually.TrueAsync("the event in the fallback storage", async () => (await FallbackList.OnAsync(await cluster.MastersAsync())) is [var list] && await list.LengthAsync() == 1, TimeSpan.FromSeconds(30));
        relay.Accept();
        await Eventually.TrueAsync("the stored event", () => consumer.Received.Any(message => message.Key == "three"), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Redis_cli_follows_redirections_over_TLS_through_node_ports_like_the_first_listener()
    {
        await using var cluster = await RedisClusterServers.StartAsync(3, 0, ["tls-cluster yes", .. _tls.NodeLines()]);
        var port = FreePorts.Take();
        var nodePorts = FreePorts.TakeRange(12);
        await using var program = await KeyEvtProcess.StartAsync(
        [
            "--upstream", cluster.Url, "--upstream-ca", _tls.Ca, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--listen", $"rediss://127.0.0.1:{port}", .. _tls.ListenOptions(),
            "--listen-base", nodePorts.ToString(CultureInfo.InvariantCulture),
        ]);
        string[] cli = ["-c", "--tls", "--cacert", _tls.Ca];
        var keys = Enumerable.Range(0, 30).Select(n => $"key:{n}").ToList();
        var set = await new RedisCli(port).RunWithAsync(cli, Lines(keys.Select(key => $"SET {key} {key}")));
        Assert.Equal(30, set.Output.Split('\n').Count(line => line == "OK"));
        var get = await new RedisCli(nodePorts).RunWithAsync(cli, Lines(keys.Select(key => $"GET {key}")));
        Assert.Equal(keys, get.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("->", StringComparison.Ordinal)));
        var redirections = get.Output.Split('\n').Where(line => line.StartsWith("->", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(redirections);
        Assert.All(redirections, line => Assert.InRange(int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture), nodePorts, nodePorts + 2));
    }

    [Fact]
    public async Task Certificates_for_another_name_than_the_address_are_refused_in_clear_words()
    {
        await using var cluster = await RedisClusterServers.StartAsync(3, 0, ["tls-cluster yes", .. _tls.NodeLines(_tls.Authority.Issue("redis.example"))]);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", cluster.Url, "--upstream-ca", _tls.Ca, "--amqp", "amqp://guest:guest@127.0.0.1:1/"], waitReady: false);
        await Eventually.ValueAsync(
            "the fault", program.AdminInfoAsync,
            info => info["upstream.topology_error"] is var error && error.Contains("redis.example", StringComparison.Ordinal) && error.Contains("127.0.0.1", StringComparison.Ordinal));
    }

    private static byte[] Lines(IEnumerable<string> commands) => System.Text.Encoding.ASCII.GetBytes(string.Concat(commands.Select(command => command + "\n")));

    /// <summary>As a client would: where the redirection says, until it is done.</summary>
    private static Task SetAsync(KeyEvtProcess program, string key) => Eventually.TrueAsync(
        $"SET {key} through the port of a cluster's nodes",
        async () =>
        {
            var reply = await program.CallAsync("SET", key, "1");
            if (!reply.Text.StartsWith("MOVED ", StringComparison.Ordinal)) return !reply.IsError;
            var port = int.Parse(reply.Text[(reply.Text.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
            await using var client = await RespClient.ConnectAsync(port);
            return !(await client.CallAsync("SET", key, "1")).IsError;
        },
        TimeSpan.FromSeconds(20));
}
