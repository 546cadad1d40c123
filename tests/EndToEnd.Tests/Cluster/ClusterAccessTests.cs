// In a cluster with passwords, as a user who may no more than needed: is all forwarded, and is what is missing said?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Oracle;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Cluster;

public sealed class ClusterAccessTests(SharedBroker broker)
{
    [Fact]
    public async Task A_user_with_the_documented_rights_follows_a_failover_and_uses_the_fallback_storage()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await using var cluster = await RedisClusterServers.StartAsync(MinimalRights.Node("+cluster|nodes +ssubscribe +spublish +readonly"));
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        string[] options = ["--upstream", cluster.UrlAs(MinimalRights.Login), "--amqp", rabbit.UrlWith(port: relay.Port), "--routing-key", queue, "--keymask", "ALL", "--events", "$"];
        MinimalRights.AllWorks(await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]));

        await using var program = await KeyEvtProcess.StartAsync([.. options, "--listen-base", FreePorts.TakeRange(12).ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await cluster.CallAsync("SET", "one", "1");
        await consumer.WaitForTextsAsync("0\nset\none");

        await cluster.FailoverAsync(await cluster.MasterOfAsync("three"));
        await Eventually.TrueAsync("every master to be forwarded from", async () => (await program.AdminInfoAsync()).Count(
            field => field.Key.StartsWith("upstream.node_", StringComparison.Ordinal) && field.Value.Contains("role=master,topology_role=master", StringComparison.Ordinal) && field.Value.Contains("state=subscribed", StringComparison.Ordinal)) == 3, TimeSpan.FromSeconds(20));
        await cluster.CallAsync("SET", "{three}two", "2");
        await Eventually.TrueAsync("the event of the new master", () => consumer.Received.Any(message => message.Key.EndsWith("two", StringComparison.Ordinal)));

        await program.SettledAsync();
        relay.Cut();
        await cluster.CallAsync("SET", "three", "3");
        // On whichever master: until the topology is read anew, another's list stands in for the new one's.
        await Eventually.TrueAsync("the event in the fallback storage", async () => (await FallbackList.OnAsync(await cluster.MastersAsync())) is [var list] && await list.LengthAsync() == 1, TimeSpan.FromSeconds(30));
        relay.Accept();
        await Eventually.TrueAsync("the stored event", () => consumer.Received.Any(message => message.Key == "three"), TimeSpan.FromSeconds(30));
        Assert.Equal("", (await program.AdminInfoAsync())["upstream.remedy"]);
    }

    [Fact]
    public async Task Without_the_right_to_CLUSTER_NODES_it_is_said_what_to_grant()
    {
        await using var cluster = await RedisClusterServers.StartAsync(MinimalRights.Node());
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", cluster.UrlAs(MinimalRights.Login), "--amqp", "amqp://guest:guest@127.0.0.1:1/"], waitReady: false);
        await Eventually.ValueAsync("the fault", program.AdminInfoAsync, info => info["upstream.topology_error"].Contains("grant +cluster|nodes", StringComparison.Ordinal));
        await program.Process.LineAsync("the fault in the log", line => line.Contains("grant +cluster|nodes", StringComparison.Ordinal));
    }
}
