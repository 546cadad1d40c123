// Are the bytes on the wire the ones Redis itself would send and take?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Sessions;

[Trait("Against", "every-redis")]
[Trait("Concerns", "sessions")]
public sealed class WireTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    public static TheoryData<string, string> SameAnswer => new()
    {
        { "inline", "PING\r\n" },
        { "inline with LF alone", "PING\nECHO a\n" },
        { "inline with leading blanks", "   PING\r\n" },
        { "inline quotes and escapes", "ECHO \"\\x41 b\"\r\nECHO 'it\\'s'\r\n" },
        { "empty lines", "\r\n\r\nPING\r\n\n" },
        { "empty and negative arrays", "*0\r\n*-1\r\n*-10\r\nPING\r\n" },
        { "inline between arrays", "*1\r\n$4\r\nPING\r\nECHO x\r\n*2\r\n$4\r\nECHO\r\n$1\r\ny\r\n" },
        { "an empty argument", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n" },
        { "a body of CR LF", "*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n" },
        { "an unknown command", "*3\r\n$3\r\nFOO\r\n$1\r\na\r\n$1\r\nb\r\n" },
        { "names that only resemble", "key_evt_amqp\r\nkey_evt_amqpx.info\r\nkey_evt_amq\r\n" },
        { "a name in a value", "*2\r\n$4\r\nECHO\r\n$34\r\n*1\r\n$17\r\nkey_evt_amqp.info\r\n......\r\n" },
        { "wrong arity", "GET\r\nSET a\r\n" },
        { "resp3", "HELLO 3 AUTH x y\r\nPING\r\n" },
        { "multi and exec", "MULTI\r\nSET w 1\r\nGET w\r\nEXEC\r\n" },
        { "multi with an error", "MULTI\r\nNOSUCH\r\nSET w 2\r\nEXEC\r\n" },
        { "reply off", "CLIENT REPLY OFF\r\nPING\r\nPING\r\nCLIENT REPLY ON\r\nECHO z\r\n" },
        { "reply skip", "CLIENT REPLY SKIP\r\nPING\r\nECHO z\r\n" },
        { "subscribed", "SUBSCRIBE a\r\nGET x\r\nPING\r\nUNSUBSCRIBE\r\nPING\r\n" },
        { "reset", "MULTI\r\nRESET\r\nPING\r\n" },
    };

    [Theory]
    [MemberData(nameof(SameAnswer))]
    public async Task The_answer_is_byte_for_byte_that_of_redis(string what, string request)
    {
        Assert.NotEmpty(what);
        Assert.Equal(await AnswerAsync(proxy.Other.Port, request + "QUIT\r\n"), await AnswerAsync(proxy.Program.Port, request + "QUIT\r\n"));
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task Http_gets_the_connection_closed(string request)
    {
        var answer = await AnswerAsync(proxy.Other.Port, request);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(answer, await AnswerAsync(proxy.Program.Port, request)); // an answer to what stood before could be faster than the cut
        }
    }

    [Fact]
    public async Task A_line_without_an_end_is_cut_off_at_64_KiB()
    {
        var answer = await AnswerAsync(proxy.Program.Port, new string('a', 70_000));
        Assert.Equal("-ERR Protocol error: too big inline request\r\n", answer);
    }

    [Fact]
    public async Task Before_authentication_the_limits_are_redis_own()
    {
        await using var redis = await RedisServer.StartAsync("requirepass secret");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", $"redis://:secret@127.0.0.1:{redis.Port}"]);

        // Redis refuses at the header; the proxy passes the header on when the head of the name is there, so that is sent too.
        Assert.Equal("-ERR Protocol error: unauthenticated multibulk length\r\n", await AnswerAsync(program.Port, "*11\r\n$4\r\nPING\r\n"));
        Assert.Equal("-ERR Protocol error: unauthenticated bulk length\r\n", await AnswerAsync(program.Port, "*1\r\n$16385\r\n" + new string('x', 64)));

        // Of the proxy's own commands Redis never sees the headers.
        foreach (var own in new string[][] { ["key_evt_amqp.keymask_add", .. Enumerable.Repeat("m", 10)], ["key_evt_amqp.keymask_add", new string('m', 16385)] })
        {
            var request = System.Text.Encoding.Latin1.GetString(RespClient.Command(own)) + "PING\r\n";
            Assert.StartsWith("-ERR Protocol error: unauthenticated", await AnswerAsync(redis.Port, request), StringComparison.Ordinal);
            Assert.Equal(await AnswerAsync(redis.Port, request), await AnswerAsync(program.Port, request));
        }

        await using var client = await program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("AUTH", "secret")).Text);
        Assert.Equal("OK", (await client.CallAsync(["key_evt_amqp.keymask_add", .. Enumerable.Repeat("m", 10)])).Text);
        Assert.Equal("OK", (await client.CallAsync("SET", "k", new string('v', 100_000))).Text);
    }

    [Fact]
    public async Task A_pipeline_split_at_every_byte_gives_the_same_answers()
    {
        var request = "SET split 1\r\n*2\r\n$4\r\nECHO\r\n$3\r\na\nb\r\nMULTI\r\nGET split\r\nEXEC\r\nQUIT\r\n";
        var expected = await AnswerAsync(proxy.Other.Port, request);
        for (var at = 1; at < request.Length; at++)
        {
            await using var client = await proxy.Program.ConnectAsync();
            await client.SendAsync(request[..at]);
            await Task.Yield();
            await client.SendAsync(request[at..]);
            Assert.Equal(expected, await client.ReadTextToEndAsync());
        }
    }

    [Fact]
    public async Task A_pipeline_of_300_000_commands_is_answered_in_order()
    {
        const int Count = 300_000;
        await using var client = await proxy.Program.ConnectAsync();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i += 1000)
            {
                await client.SendAsync(string.Concat(Enumerable.Range(i, 1000).Select(n => $"*2\r\n$4\r\nECHO\r\n$8\r\n{n:D8}\r\n")));
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < Count; i++)
        {
            if ((await client.ReadReplyAsync()).Text != i.ToString("D8")) Assert.Fail($"a wrong answer at {i}");
        }
        await sending;
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
