// Does a password ever show, and can a host be changed to catch one?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Secrets;

public sealed class SecretTests(SharedBroker broker)
{
    private const string Canary = "canary-amqp-password";
    private const string RedisCanary = "canary-redis-password";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_password_is_found_nowhere(bool isRight)
    {
        var rabbit = await broker.GetAsync();
        var user = $"user-{Guid.NewGuid():N}";
        await rabbit.CtlAsync("add_user", user, isRight ? Canary : "another");
        await rabbit.CtlAsync("set_permissions", user, ".*", ".*", ".*");
        await using var redis = await RedisServer.StartAsync($"requirepass {RedisCanary}", "slowlog-log-slower-than 0", "slowlog-max-len 10000", "acllog-max-len 1000");
        using var folder = new PrivateFolder("secrets");
        await using var direct = await redis.ConnectAsync();
        await direct.CallAsync("AUTH", RedisCanary);
        await using var monitor = await redis.ConnectAsync();
        await monitor.CallAsync("AUTH", RedisCanary);
        await monitor.CallAsync("MONITOR");

        await using var program = await KeyEvtProcess.StartAsync(
        [
            "--upstream", $"redis://127.0.0.1:{redis.Port}", "--upstream-password-file", folder.Write("redis", RedisCanary + "\n"),
            "--amqp", $"amqp://{user}@127.0.0.1:{rabbit.Port}/", "--amqp-password-file", folder.Write("amqp", Canary + "\n"),
            "--keymask", "ALL", "--events", "A", "--log-level", "trace",
        ]);
        await using var client = await program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("AUTH", RedisCanary)).Text);
        await client.CallAsync("SET", "k", "v");
        await client.CallAsync("key_evt_amqp.connect");
        await client.CallAsync("key_evt_amqp.config_set", "127.0.0.1", $"{rabbit.Port}", user, Canary);
        await client.CallAsync("key_evt_amqp.config_set", "127.0.0.1", "70000", user, Canary);
        await client.CallAsync("key_evt_amqp.config_sett", "127.0.0.1", "1", user, Canary);
        await client.CallAsync("MODULE", "LOAD", "redis_keyspace_amqp.so", "A", "127.0.0.1", $"{rabbit.Port}", user, Canary);
        await client.CallAsync("SET", "k2", "v");
        await Eventually.ValueAsync("events", async () => (await program.InfoAsync([RedisCanary]))["ledger.received"], received => received != "0");

        var places = new Dictionary<string, string>
        {
            ["info"] = (await client.CallAsync("key_evt_amqp.info")).ToString(),
            ["config_get"] = (await client.CallAsync("key_evt_amqp.config_get")).ToString(),
            ["metrics"] = (await program.GetAsync("/metrics")).Body,
            ["readyz"] = (await program.GetAsync("/readyz")).Body,
            ["slowlog"] = (await direct.CallAsync("SLOWLOG", "GET", "10000")).ToString(),
            ["acl log"] = (await direct.CallAsync("ACL", "LOG")).ToString(),
            ["process list"] = await File.ReadAllTextAsync($"/proc/{program.Process.Id}/cmdline", TestContext.Current.CancellationToken),
            ["client list"] = (await direct.CallAsync("CLIENT", "LIST")).Text,
        };
        await direct.CallAsync("ECHO", "end of monitor");
        var line = "";
        while (!line.Contains("end of monitor", StringComparison.Ordinal))
        {
            places["monitor"] = places.GetValueOrDefault("monitor") + (line = (await monitor.ReadReplyAsync()).Text);
        }

        Assert.Equal(0, await program.StopAsync());
        places["log"] = program.Process.AllText;

        Assert.Contains("\"SET\"", places["monitor"], StringComparison.Ordinal);
        Assert.All(places, place => Assert.False(place.Value.Contains("canary", StringComparison.Ordinal), $"a password in {place.Key}: {place.Value}"));
    }

    [Theory]
    [InlineData("config_set")]
    [InlineData("connect")]
    public async Task Another_host_is_refused_unless_it_is_allowed(string command)
    {
        var rabbit = await broker.GetAsync();
        await using var trap = await RedisServer.StartAsync();
        await Stage.RunAsync(rabbit, new StageSetting { Queue = false }, async stage =>
        {
            var before = (await stage.CallAsync("key_evt_amqp.config_get")).ToString();
            foreach (var host in new[] { "localhost", "127.0.0.2", "evil.example", "127.1", "0.0.0.0", "::1" })
            {
                Assert.True((await stage.CallAsync("key_evt_amqp." + command, host, $"{trap.Port}")).IsError, host);
            }

            Assert.Equal(before, (await stage.CallAsync("key_evt_amqp.config_get")).ToString());
        });
    }

    [Fact]
    public async Task An_allowed_other_host_never_gets_the_old_password()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting { Queue = false, Masks = [], Options = ["--amqp-hosts", "localhost"] }, async stage =>
        {
            Assert.Equal("+AMQP CONNECT OK\\r\\n", (await stage.CallAsync("key_evt_amqp.connect")).ToString());
            Assert.StartsWith("-AMQP CONNECT ERROR: 4 ", (await stage.CallAsync("key_evt_amqp.connect", "localhost")).ToString(), StringComparison.Ordinal);
            Assert.Equal("+AMQP CONNECT OK\\r\\n", (await stage.CallAsync("key_evt_amqp.connect", "localhost", $"{rabbit.Port}", "guest", "guest")).ToString());
        });
    }

    [Fact]
    public async Task Any_host_may_be_allowed()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting { Queue = false, Options = ["--amqp-hosts", "*"] }, async stage =>
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.config_set", "anything.example", "1")).Text));
    }
}
