// However a connection ends: does the client get all that Redis sent before?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

public sealed class ClosingTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const int Big = 300_000;

    public static TheoryData<string> Pipelines =>
    [
        "PING\r\nQUIT\r\nECHO never\r\n",
        "PING\r\nQUIT\r\n*2\r\n$4\r\nECHO\r\n$5\r\nnev",
        "MULTI\r\nSET quit 1\r\nQUIT\r\nEXEC\r\n",
        "QUIT\r\n",
        "CLIENT REPLY SKIP\r\nPING\r\nQUIT\r\nPING\r\n",
        "SUBSCRIBE a\r\nQUIT\r\n",
        "HELLO 2 NOSUCH\r\nRESET\r\nQUIT now\r\n",
    ];

    [Theory]
    [MemberData(nameof(Pipelines))]
    public async Task Quit_in_a_pipeline_ends_it_there(string pipeline)
        => Assert.Equal(await AnswerAsync(proxy.Other.Port, pipeline), await AnswerAsync(proxy.Program.Port, pipeline));

    [Theory]
    [InlineData("CLIENT REPLY OFF\r\nCLIENT REPLY ON\r\nECHO a\r\n*x\r\n")]
    [InlineData("CLIENT REPLY SKIP\r\nECHO a\r\nECHO b\r\n*x\r\n")]
    [InlineData("ECHO a\r\nCLIENT REPLY OFF\r\nECHO b\r\n*x\r\n")]
    [InlineData("ECHO a\r\nCLIENT REPLY SKIP\r\n*x\r\n")]
    public async Task A_protocol_error_is_told_only_to_a_client_that_wants_replies(string pipeline)
        => Assert.Equal(await AnswerAsync(proxy.Other.Port, pipeline), await AnswerAsync(proxy.Program.Port, pipeline));

    [Theory]
    [InlineData("CLIENT KILL ID {0}")]
    [InlineData("CLIENT KILL ID {0} SKIPME no")]
    [InlineData("CLIENT KILL ID {0} SKIPME yes")]
    public async Task Client_kill_of_oneself_answers_and_closes_as_redis_does(string kill)
    {
        Assert.Equal(await SuicideAsync(proxy.Other.Port), await SuicideAsync(proxy.Program.Port));

        async Task<string> SuicideAsync(int port)
        {
            await using var client = await RespClient.ConnectAsync(port);
            var id = (await client.CallAsync("CLIENT", "ID")).Text;
            await client.SendAsync($"ECHO before\r\n{string.Format(System.Globalization.CultureInfo.InvariantCulture, kill, id)}\r\nECHO after\r\n");
            client.EndSending();
            return await client.ReadTextToEndAsync();
        }
    }

    [Fact]
    public async Task A_killed_client_gets_all_that_was_sent_before()
    {
        await using var client = await proxy.Program.ConnectAsync();
        var id = (await client.CallAsync("CLIENT", "ID")).Text;
        await client.SendCommandAsync("EVAL", $"return string.rep('x',{Big})", "0");
        await Eventually.ValueAsync("the reply to leave Redis", async () => (await proxy.Redis.CallAsync("CLIENT", "LIST", "ID", id)).Text, line => line.Contains("cmd=eval", StringComparison.Ordinal) && line.Contains(" omem=0 ", StringComparison.Ordinal));
        Assert.Equal(1, (await proxy.Redis.CallAsync("CLIENT", "KILL", "ID", id)).Integer);
        Assert.Equal($"${Big}\r\n{new string('x', Big)}\r\n", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task An_idle_client_that_redis_ends_gets_all_and_then_the_end()
    {
        await using var redis = await RedisServer.StartAsync("timeout 1");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url], waitReady: false);
        await using var client = await program.ConnectAsync();
        await client.SendAsync($"EVAL \"return string.rep('x',{Big})\" 0\r\nPING\r\n");
        Assert.Equal($"${Big}\r\n{new string('x', Big)}\r\n+PONG\r\n", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task A_subscriber_over_the_output_limit_is_closed_behind_whole_bytes_of_what_was_sent()
    {
        await using var redis = await RedisServer.StartAsync("client-output-buffer-limit pubsub 4mb 0 0");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url]);
        await using var client = await program.ConnectAsync();
        await client.CallAsync("SUBSCRIBE", "flood");
        await redis.CallAsync("EVAL", "local m=string.rep('m',100000) for i=1,2000 do redis.call('publish','flood',m) end", "0");
        await Eventually.ValueAsync("Redis to end it", async () => (await redis.CallAsync("PUBSUB", "NUMSUB", "flood")).Items[1].Integer, count => count == 0);
        var message = $"*3\r\n$7\r\nmessage\r\n$5\r\nflood\r\n$100000\r\n{new string('m', 100_000)}\r\n";
        var got = await client.ReadTextToEndAsync(TimeSpan.FromSeconds(20));
        for (var at = 0; at < got.Length; at += message.Length)
        {
            Assert.True(message.AsSpan().StartsWith(got.AsSpan(at, Math.Min(message.Length, got.Length - at))), $"wrong bytes behind {at}");
        }
    }

    [Fact]
    public async Task Netcat_gets_all_replies_to_its_input()
    {
        var input = string.Concat(Enumerable.Range(0, 5000).Select(n => $"ECHO {n}\r\n")) + "BLPOP nothing 0.2\r\nkey_evt_amqp.keymask_get\r\nECHO end\r\n";
        var result = await Run.ToEndAsync("nc", ["-N", "127.0.0.1", $"{proxy.Program.Port}"], System.Text.Encoding.Latin1.GetBytes(input));
        Assert.EndsWith("\r\n4999\r\n*-1\r\n*0\r\n$3\r\nend\r\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(5001, result.Output.Split("\r\n").Count(line => line.StartsWith('$')));
    }

    [Fact]
    public async Task Client_pause_holds_back_writes_and_then_all_are_answered()
    {
        await using var client = await proxy.Program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("CLIENT", "PAUSE", "100000", "WRITE")).Text);
        await using var other = await proxy.Program.ConnectAsync();
        await other.SendAsync("GET paused\r\nSET paused 1\r\nGET paused\r\n");
        Assert.True((await other.ReadReplyAsync()).IsNull);
        Assert.True(await other.IsSilentAsync(TimeSpan.FromMilliseconds(100)));
        await client.CallAsync("CLIENT", "UNPAUSE");
        Assert.Equal("OK", (await other.ReadReplyAsync()).Text);
        Assert.Equal("1", (await other.ReadReplyAsync()).Text);
    }

    [Fact]
    public async Task A_million_commands_in_one_pipeline_that_nobody_reads_meanwhile_keep_the_memory_bounded()
    {
        proxy.Program.Process.ResetPeak();
        var before = proxy.Program.Process.ResidentBytes;
        await using var client = await proxy.Program.ConnectAsync();
        var piece = System.Text.Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("PING\r\n", 10_000)));
        var sending = Task.Run(async () =>
        {
            for (var n = 0; n < 100; n++) await client.SendAsync(piece, TimeSpan.FromSeconds(30));
        }, TestContext.Current.CancellationToken);
        await client.DropAsync(7_000_000, TimeSpan.FromSeconds(60));
        await sending;
        Assert.Equal("end", (await client.CallAsync("ECHO", "end")).Text);
        var growth = proxy.Program.Process.PeakResidentBytes - before;
        Assert.True(growth < 32 * 1024 * 1024, $"grew by {growth / 1024} KiB");
    }

    private static async Task<string> AnswerAsync(int port, string request)
    {
        await using var client = await RespClient.ConnectAsync(port);
        await client.SendAsync(request);
        return await client.ReadTextToEndAsync();
    }
}
