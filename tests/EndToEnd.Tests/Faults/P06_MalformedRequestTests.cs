// Row P06: can anything that is not a request harm the program, or reach Redis?
using System.Text;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P06_MalformedRequestTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const string Canary = "p6-canary";

    public static TheoryData<string> Malformed =>
    [
        "*2\r\n$3\r\nGET\r\n$9\r\np6-canaryX\r\n",
        "*2\r\n$3\r\nGET\r\n$+9\r\np6-canary\r\n",
        "*2\r\n$3\r\nGET\r\n$09\r\np6-canary\r\n",
        "*2\n$3\r\nGET\r\n$9\r\np6-canary\r\n",
        "*02\r\n$3\r\nGET\r\n$9\r\np6-canary\r\n",
        "*2\r\n$3\r\nGET\r\n:9\r\np6-canary\r\n",
        "*2\r\n$3\r\nGET\r\n$999999999999\r\np6-canary\r\n",
        "*99999999999\r\n$3\r\nGET\r\n$9\r\np6-canary\r\n",
        "*2\r\n$3\r\nGETX\r\n$9\r\np6-canary\r\n",
        "GET \"p6-canary\r\n",
    ];

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_request_is_refused_at_every_split_and_never_run(string request)
    {
        var seen = proxy.Redis.Cli.Start("MONITOR");
        await seen.LineAsync("that it monitors", line => line == "OK");
        for (var split = 1; split < request.Length; split++)
        {
            await using var client = await proxy.Program.ConnectAsync();
            await client.SendAsync("*1\r\n$4\r\nPING\r\n" + request[..split]);
            Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
            await client.SendAsync(request[split..]);
            var answer = await client.ReadTextToEndAsync();
            Assert.Matches("^-ERR Protocol error: [^\r\n]+\r\n$", answer);
        }
        await proxy.Redis.CallAsync("ECHO", "p6-end");
        await seen.LineAsync("the last command", line => line.Contains("p6-end", StringComparison.Ordinal));
        Assert.DoesNotContain(Canary, seen.AllText, StringComparison.Ordinal);
        seen.Dispose();
    }

    [Fact]
    public async Task Random_bytes_end_in_a_closed_connection_and_nothing_else()
    {
        var random = new Random(20_240_607);
        string[] words = ["*", "$", "\r\n", "\n", "\r", "1", "3", "-1", "0", "SET", "key_evt_amqp.", "key_evt_amqp.info", "\"", "'", "\\x", " ", "\0", "MULTI", "CLIENT", "REPLY", "OFF", "MODULE", "LOAD", "65536", "\u00ff"];
        for (var i = 0; i < 400; i++)
        {
            var bytes = new MemoryStream();
            for (var n = random.Next(1, 200); n > 0; n--)
            {
                if (random.Next(3) == 0) bytes.WriteByte((byte)random.Next(256));
                else bytes.Write(Encoding.Latin1.GetBytes(words[random.Next(words.Length)]));
            }
            await using var client = await proxy.Program.ConnectAsync();
            try
            {
                await client.SendAsync(bytes.ToArray());
                client.EndSending();
            }
            catch (System.Net.Sockets.SocketException)
            {
                // The program has closed the connection already.
            }
            await client.ReadToEndAsync(TimeSpan.FromSeconds(15));
        }

        Assert.Equal("PONG", (await proxy.Program.CallAsync("PING")).Text);
        await Eventually.ValueAsync("only this session", async () => (await proxy.Program.InfoAsync())["server.connected_clients"], count => count == "1");
        Assert.DoesNotContain("fault of the proxy", proxy.Program.Process.AllText, StringComparison.Ordinal);
    }
}
