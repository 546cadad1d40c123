// Does KeyEvt ignore and refuse exactly what the server does?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>Each row of <see cref="FramingTable"/> between two writes: on the server itself and through KeyEvt.</summary>
public sealed class FramingTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Theory]
    [MemberData(nameof(FramingTable.Ignored), MemberType = typeof(FramingTable))]
    public async Task What_the_server_ignores_passes(string request)
    {
        foreach (var port in new[] { proxy.Other.Port, proxy.Program.Port })
        {
            Assert.Equal("+OK\r\n+PONG\r\n+OK\r\n", await AnswerAsync(port, $"SET a 1\r\n{request}*1\r\n$4\r\nPING\r\n{request}QUIT\r\n"));
        }
    }

    [Theory]
    [MemberData(nameof(FramingTable.Refused), MemberType = typeof(FramingTable))]
    public async Task What_the_server_refuses_is_refused_in_its_words_and_nothing_behind_it_runs(string request, string words)
    {
        var name = Guid.NewGuid().ToString("N");
        foreach (var (redis, port) in new[] { (proxy.Other, proxy.Other.Port), (proxy.Redis, proxy.Program.Port) })
        {
            Assert.Equal($"+OK\r\n-ERR Protocol error: {words}\r\n", await AnswerAsync(port, $"SET good{name} 1\r\n{request}\r\nSET bad{name} 1\r\n"));
            Assert.Equal(1, (await redis.CallAsync("EXISTS", "good" + name)).Integer);
            Assert.Equal(0, (await redis.CallAsync("EXISTS", "bad" + name)).Integer);
        }
    }

    [Theory]
    [MemberData(nameof(FramingTable.Loose), MemberType = typeof(FramingTable))]
    public async Task What_some_servers_take_loosely_is_refused(string request)
    {
        var name = Guid.NewGuid().ToString("N");
        var answer = await AnswerAsync(proxy.Program.Port, $"SET good{name} 1\r\n{request}SET bad{name} 1\r\n");
        Assert.StartsWith("+OK\r\n-ERR Protocol error", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("-ERR").Length - 1);
        Assert.Equal(1, (await proxy.Redis.CallAsync("EXISTS", "good" + name)).Integer);
        Assert.Equal(0, (await proxy.Redis.CallAsync("EXISTS", "bad" + name)).Integer);
    }

    /// <summary>Valkey 9 takes most of these, others refuse them.</summary>
    [Theory]
    [InlineData("set \"\"\"tes\"t-'k'e\"y\" \"\"\"tes\"t-'v'al\"ue\"")]
    [InlineData("\"EC\"HO a")]
    [InlineData("'ECHO'\"\" a")]
    [InlineData("ECHO \"a\"b")]
    [InlineData("ECHO \"a\"\vb")]
    [InlineData("\"ECHO\"\va")]
    [InlineData("ECHO 'a\\'")]
    [InlineData("ECHO \"a\\\"")]
    [InlineData("ECHO \"a")]
    [InlineData("'ECHO a")]
    [InlineData("\"\\x45CHO\" '\\x45' \\x45")]
    [InlineData("'key_evt_amqp\\x2einfo'")]
    [InlineData("\u00FFEC\u00FFHO \u00FF\"a\u00FFb\"")]
    public async Task What_the_quotes_of_an_inline_line_mean_is_for_the_server_to_say(string line)
    {
        foreach (var end in new[] { "\n", "\r\n" })
        {
            var request = $"{line}{end}PING\r\nQUIT\r\n";
            Assert.Equal(await AnswerAsync(proxy.Other.Port, request), await AnswerAsync(proxy.Program.Port, request));
        }
    }

    [Theory]
    [InlineData("\"key_evt\"_amqp.keymask_add {0}")]
    [InlineData("k'ey_evt_amqp.keymask_add' \"{0}")]
    [InlineData("key_evt_amqp.keymask_add \"{0}\"y")]
    [InlineData("\"\\x6bey_evt_amqp.keymask_add\"\v{0}")]
    [InlineData("\"key_evt_amqp.keymask_add {0}\\\"")]
    [InlineData("key_\u00FFevt_amqp.keymask_add {0}")]
    public async Task A_line_that_may_be_a_command_of_the_proxy_never_reaches_the_server_unless_all_read_it_alike(string line)
    {
        var before = await BytesInAsync();
        Assert.Equal("-ERR Protocol error: unbalanced quotes in request\r\n", await AnswerAsync(proxy.Program.Port, line.Replace("{0}", new string('z', 30_000), StringComparison.Ordinal) + "\r\n"));
        Assert.InRange(await BytesInAsync() - before, 0, 20_000);
    }

    [Fact]
    public async Task An_inline_line_has_64_KiB_on_the_server_and_here()
    {
        foreach (var port in new[] { proxy.Other.Port, proxy.Program.Port })
        {
            Assert.Equal("$1\r\nx\r\n+OK\r\n", await AnswerAsync(port, "ECHO x".PadRight(65536) + "\nQUIT\r\n"));
            Assert.Equal("-ERR Protocol error: too big inline request\r\n", await AnswerAsync(port, "ECHO x".PadRight(65537)));
            Assert.Equal("-ERR Protocol error: too big inline request\r\n", await AnswerAsync(port, new string(' ', 65537)));
        }
    }

    [Fact]
    public async Task CLIENT_REPLY_SKIP_in_64_KiB_is_noticed_and_in_more_it_is_refused()
    {
        const string Behind = "\nkey_evt_amqp.keymask_get\r\nPING\r\nQUIT\r\n";
        Assert.Equal("+PONG\r\n+OK\r\n", await AnswerAsync(proxy.Program.Port, "CLIENT REPLY SKIP".PadRight(65536) + Behind));
        Assert.Equal("-ERR Protocol error: too big inline request\r\n", await AnswerAsync(proxy.Program.Port, "CLIENT REPLY SKIP".PadRight(65537) + Behind));
    }

    private async Task<long> BytesInAsync()
    {
        var lines = (await proxy.Redis.CallAsync("INFO", "stats")).Text.Split("\r\n");
        return long.Parse(lines.Single(line => line.StartsWith("total_net_input_bytes:", StringComparison.Ordinal)).Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<string> AnswerAsync(int port, string request)
    {
        await using var client = await RespClient.ConnectAsync(port);
        try
        {
            await client.SendAsync(request);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Closed in the middle of the request: what was answered counts.
        }

        return await client.ReadTextToEndAsync();
    }
}
