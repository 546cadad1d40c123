// Row S05: can CR, LF or NUL in an argument or in a broker's text begin a line of a reply?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class S05_ReplyInjectionTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private static readonly string[] Evils = ["x\r\n+INJECTED\r\n", "\r\n-INJECTED", "x\n:1", "x\0y\r", "\r", "\n", "\0", "db=0 mask=\r\n+INJECTED", "events=x\r\ny", "text\r\n", "^a\r\n$", "e\u001b[31m\u0007x\u009b2J"];

    /// <summary>Each command is tried with the hostile text in the place of each of its first arguments.</summary>
    public static TheoryData<string, int> Places
    {
        get
        {
            var places = new TheoryData<string, int>();
            foreach (var entry in CommandTable.All)
            {
                for (var at = 0; at < Math.Min(11, entry.MaxCount); at++) places.Add(entry.Name, at);
            }
            return places;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task A_line_break_in_an_argument_stays_inside_one_reply(string command, int at)
    {
        await using var client = await proxy.Program.ConnectAsync();
        foreach (var evil in Evils)
        {
            string[] parameters = [command, "127.0.0.1", "1", "u", "p", "30", "e", "r", "1", "5", "mask"];
            string[] request = at == 0 ? [$"key_evt_amqp.{command}{evil}"] : [$"key_evt_amqp.{command}", .. parameters[1..at], evil];
            AssertWhole(await client.CallAsync(request));
            Assert.Equal("marker", (await client.CallAsync("ECHO", "marker")).Text);
        }
        foreach (var reader in new[] { "config_get", "keymask_get", "rule_get", "events_get", "info", "help" })
        {
            AssertWhole(await client.CallAsync("key_evt_amqp." + reader));
        }

        foreach (var line in (await client.CallAsync("key_evt_amqp.info")).Text.Split("\r\n"))
        {
            Assert.DoesNotContain(line, char.IsControl);
            Assert.DoesNotMatch("^[+:-]", line);
        }
        await client.CallAsync("key_evt_amqp.keymask_clean");
        await client.CallAsync("key_evt_amqp.rule_clean");
    }

    [Fact]
    public async Task A_line_break_in_a_brokers_text_stays_inside_one_reply()
    {
        await using var broker = new RefusingBroker("no\r\n+INJECTED\r\n\0$3\r\nfoo\n\u001b[31m\u0007");
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", $"amqp://guest:guest@127.0.0.1:{broker.Port}/"]);
        await using var client = await program.ConnectAsync();
        // On a busy machine the client library may see the connection end before it has read the reason. Then the command is sent again.
        var reply = await Eventually.ValueAsync("the broker's text", () => client.CallAsync("key_evt_amqp.connect"), reply => reply.Text.Contains("INJECTED", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        Assert.True(broker.Refused > 0, "the broker was not asked");
        Assert.StartsWith("-AMQP CONNECT ERROR: ", reply.ToString(), StringComparison.Ordinal);
        AssertWhole(reply);
        Assert.Equal("marker", (await client.CallAsync("ECHO", "marker")).Text);
        Assert.All((await client.CallAsync("key_evt_amqp.info")).Text.Split("\r\n"), line =>
        {
            Assert.DoesNotContain(line, char.IsControl);
            Assert.False(line.StartsWith('+'), line);
        });
        var log = await program.Process.LineAsync("the broker's text", line => line.Contains("INJECTED", StringComparison.Ordinal));
        // Every line of the log begins with its date. The broker's text must not begin one.
        Assert.StartsWith("20", log, StringComparison.Ordinal);
        Assert.DoesNotContain(program.Process.ErrorLines, line => line.Any(char.IsControl));
        Assert.DoesNotContain("\n+INJECTED", (await program.GetAsync("/readyz")).Body + (await program.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    /// <summary>Asserts that no text begins a line of its own. Errors and simple strings must have no line breaks. Bulk strings may, as they have a length.</summary>
    private static void AssertWhole(Reply reply)
    {
        if (reply.Type is '-' or '+') Assert.DoesNotContain(reply.Text, char.IsControl);
        foreach (var item in reply.Items) AssertWhole(item);
    }
}
