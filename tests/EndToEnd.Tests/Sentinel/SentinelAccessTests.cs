// Behind Sentinel, with passwords everywhere and a user who may no more than needed: is all forwarded, and is what is missing said?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Sentinel;

public sealed class SentinelAccessTests(SharedBroker broker)
{
    [Fact]
    public async Task A_user_with_the_documented_rights_follows_a_failover_and_uses_the_fallback_storage()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await using var sentinel = await SentinelServers.StartAsync(MinimalRights.Node(), MinimalRights.Sentinel());
        using var folder = new PrivateFolder("words");
        var queue = $"q{Guid.NewGuid():N}";
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, queue, "amq.direct", queue);
        string[] options = [.. Options(sentinel, folder), "--amqp", rabbit.UrlWith(port: relay.Port), "--routing-key", queue, "--keymask", "ALL", "--events", "$"];
        MinimalRights.AllWorks(await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]));

        await using var program = await KeyEvtProcess.StartAsync(options);
        var old = (await sentinel.MasterAsync())!;
        await old.CallAsync("SET", "one", "1");
        await consumer.WaitForTextsAsync("0\nset\none");

        var master = await sentinel.FailoverAsync();
        await Eventually.ValueAsync("the new master to be forwarded from", program.AdminInfoAsync, info => info["upstream.node"].EndsWith($":{master.Port}", StringComparison.Ordinal) && info["upstream.feed_state"] == "subscribed", TimeSpan.FromSeconds(20));
        await master.CallAsync("SET", "two", "2");
        await Eventually.TrueAsync("the event of the new master", () => consumer.Received.Any(message => message.Key == "two"));

        await program.SettledAsync();
        relay.Cut();
        await master.CallAsync("SET", "three", "3");
        await Eventually.TrueAsync("the event in the fallback storage", async () => (await master.CallAsync("LLEN", Stage.FallbackKey)).Integer == 1, TimeSpan.FromSeconds(30));
        relay.Accept();
        await Eventually.TrueAsync("the stored event", () => consumer.Received.Any(message => message.Key == "three"), TimeSpan.FromSeconds(30));
        Assert.Equal("", (await program.AdminInfoAsync())["upstream.remedy"]);
    }

    [Theory]
    [InlineData("-sentinel|replicas -sentinel|slaves", "grant +sentinel|replicas")]
    [InlineData("-psubscribe", "grant +psubscribe &*")]
    [InlineData("resetchannels", "grant +psubscribe &*")]
    public async Task A_missing_right_at_the_Sentinels_is_said_with_what_to_grant(string less, string remedy)
    {
        await using var sentinel = await SentinelServers.StartAsync(MinimalRights.Node(), MinimalRights.Sentinel(less));
        using var folder = new PrivateFolder("words");
        await using var program = await KeyEvtProcess.StartAsync([.. Options(sentinel, folder), "--amqp", "amqp://guest:guest@127.0.0.1:1/"], waitReady: false);
        await Eventually.ValueAsync("the fault", program.AdminInfoAsync, info => info["upstream.topology_error"].Contains(remedy, StringComparison.Ordinal));
        await program.Process.LineAsync("the fault in the log", line => line.Contains(remedy, StringComparison.Ordinal));
    }

    private static string[] Options(SentinelServers sentinel, PrivateFolder folder) =>
        ["--upstream", sentinel.UrlAs(MinimalRights.Login), "--sentinel-user", "looker", "--sentinel-password-file", folder.Write("sentinel", "l00ker-word")];
}
