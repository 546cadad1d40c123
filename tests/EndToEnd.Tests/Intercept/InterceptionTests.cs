// Does an intercepted command get its answer in its place, in every state of a connection?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Intercept;

/// <summary>The tests of this class share one program; each sets the mask it then reads back.</summary>
[Trait("Against", "every-redis")]
[Trait("Concerns", "sessions")]
public sealed class InterceptionTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const string Get = "key_evt_amqp.keymask_get";

    [Fact]
    public async Task Alone()
    {
        await using var client = await proxy.Program.ConnectAsync();
        Assert.Equal("+OK\\r\\n", (await SetMaskAsync(client, "^alone$")).ToString());
        Assert.Equal("*1\\r\\n$7\\r\\n^alone$\\r\\n", (await client.CallAsync(Get)).ToString());
    }

    [Fact]
    public async Task Pipelined_between_others_each_answer_stands_in_its_place()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync("SET p 1\r\nkey_evt_amqp.keymask_set one\r\nINCR p\r\nkey_evt_amqp.keymask_get\r\nkey_evt_amqp.keymask_set two\r\nkey_evt_amqp.keymask_get\r\nGET p\r\nQUIT\r\n");
        Assert.Equal("+OK\r\n+OK\r\n:2\r\n*1\r\n$3\r\none\r\n+OK\r\n*1\r\n$3\r\ntwo\r\n$1\r\n2\r\n+OK\r\n", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task Two_hundred_in_one_pipeline_with_bulky_neighbours()
    {
        await using var client = await proxy.Program.ConnectAsync();
        var bulk = new string('b', 20_000);
        var sending = client.SendAsync(Enumerable.Range(0, 200).SelectMany(n => (byte[])[.. RespClient.Command("ECHO", bulk), .. RespClient.Command("key_evt_amqp.keymask_set", $"m{n}"), .. RespClient.Command(Get)]).ToArray());
        for (var n = 0; n < 200; n++)
        {
            Assert.Equal(bulk.Length, (await client.ReadReplyAsync()).Text.Length);
            Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
            Assert.Equal([$"m{n}"], (await client.ReadReplyAsync()).Texts);
        }
        await sending;
    }

    [Fact]
    public async Task In_multi_it_is_an_error_and_the_transaction_aborts()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await SetMaskAsync(client, "before");
        await client.SendAsync("MULTI\r\nSET inmulti 1\r\nkey_evt_amqp.keymask_set after\r\nSET inmulti 2\r\nEXEC\r\nEXISTS inmulti\r\n");
        Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.Equal("+QUEUED\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.True((await client.ReadReplyAsync()).IsError);
        Assert.Equal("+QUEUED\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.StartsWith("EXECABORT", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
        Assert.Equal(0, (await client.ReadReplyAsync()).Integer);
        Assert.Equal(["before"], (await client.CallAsync(Get)).Texts);
    }

    [Fact]
    public async Task Subscribed_in_resp2_it_is_refused_as_redis_refuses_and_messages_go_on()
    {
        await using var direct = await proxy.Redis.ConnectAsync();
        await direct.CallAsync("SUBSCRIBE", "c2");
        var words = (await direct.CallAsync("CONFIG", "GET", "notify-keyspace-events")).ToString();

        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("SUBSCRIBE", "c2");
        Assert.Equal(words, (await client.CallAsync(Get)).ToString());
        await proxy.Redis.CallAsync("PUBLISH", "c2", "still here");
        Assert.Equal(["message", "c2", "still here"], (await client.ReadReplyAsync()).Texts);
        await client.CallAsync("UNSUBSCRIBE");
        Assert.Equal('*', (await client.CallAsync(Get)).Type);
    }

    [Fact]
    public async Task Subscribed_in_resp3_it_works_between_pushes()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("HELLO", "3");
        await client.CallAsync("SUBSCRIBE", "c3");
        await using var publisher = await proxy.Redis.ConnectAsync();
        var publishing = Task.Run(async () =>
        {
            for (var n = 0; n < 2000; n++) await publisher.CallAsync("PUBLISH", "c3", n.ToString());
        }, TestContext.Current.CancellationToken);

        var messages = 0;
        for (var n = 0; n < 50; n++)
        {
            await client.SendCommandAsync("key_evt_amqp.keymask_set", $"push{n}");
            Assert.Equal("+OK\\r\\n", (await AnswerAsync()).ToString());
            await client.SendCommandAsync(Get);
            Assert.Equal([$"push{n}"], (await AnswerAsync()).Texts);
        }
        while (messages < 2000) Read(await client.ReadReplyAsync());
        await publishing;

        async Task<Reply> AnswerAsync()
        {
            while (true)
            {
                var reply = await client.ReadReplyAsync();
                if (reply.Type != '>') return reply;
                Read(reply);
            }
        }

        void Read(Reply push) => Assert.Equal(["message", "c3", $"{messages++}"], push.Texts);
    }

    [Fact]
    public async Task In_monitor_mode_it_works_between_the_lines()
    {
        await using var client = await proxy.Program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("MONITOR")).Text);
        await using var other = await proxy.Redis.ConnectAsync();
        for (var n = 0; n < 20; n++)
        {
            await client.SendCommandAsync("key_evt_amqp.keymask_set", $"monitor{n}");
            await other.CallAsync("SET", "monitored", "x");
            var answered = false;
            var seen = false;
            while (!answered || !seen)
            {
                var line = await client.ReadReplyAsync();
                answered |= line.ToString() == "+OK\\r\\n";
                seen |= line.Text.Contains("\"monitored\"", StringComparison.Ordinal);
                Assert.DoesNotContain("key_evt_amqp", line.Text, StringComparison.Ordinal);
            }
        }
        Assert.Equal(["monitor19"], (await proxy.Program.CallAsync(Get)).Texts);
    }

    [Fact]
    public async Task With_replies_off_nothing_is_answered_and_the_connection_goes_on()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync("CLIENT REPLY OFF\r\nkey_evt_amqp.keymask_get\r\nPING\r\nkey_evt_amqp.help\r\nclient reply on\r\nECHO on\r\nkey_evt_amqp.keymask_set after_off\r\nECHO end\r\n");
        Assert.Equal("+OK\r\n$2\r\non\r\n+OK\r\n$3\r\nend\r\n", System.Text.Encoding.Latin1.GetString(await client.ReadBytesAsync(27)));
    }

    [Fact]
    public async Task A_skipped_reply_is_not_sent_and_the_next_is()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync("CLIENT REPLY SKIP\r\nkey_evt_amqp.keymask_get\r\nECHO a\r\nCLIENT REPLY SKIP\r\nPING\r\nkey_evt_amqp.keymask_set s\r\nECHO b\r\n");
        Assert.Equal("$1\r\na\r\n+OK\r\n$1\r\nb\r\n", System.Text.Encoding.Latin1.GetString(await client.ReadBytesAsync(19)));
    }

    [Theory]
    [InlineData("key_evt_amqp.keymask_set \"in line\"\r\n")]
    [InlineData("KEY_EVT_AMQP.keymask_SET 'in line'\n")]
    [InlineData("  Key_Evt_Amqp.Keymask_Set   \"in\\x20line\"  \r\n")]
    [InlineData("\"key_evt_amqp.keymask_set\" \"in line\"\r\n")]
    [InlineData("'key_evt_amqp.keymask_set' \"in line\"\r\n")]
    [InlineData("\"\\x6bey_evt_amqp.keymask_set\" \"in line\"\r\n")]
    [InlineData("\r\n\r\nkey_evt_amqp.keymask_set \"in line\"\r\n")]
    public async Task In_the_inline_form(string line)
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync(line + "PING\r\n");
        Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
        Assert.Equal(["in line"], (await client.CallAsync(Get)).Texts);
    }

    [Fact]
    public async Task With_the_request_split_over_two_packets_at_every_byte()
    {
        var request = System.Text.Encoding.Latin1.GetString(RespClient.Command("Key_evt_AMQP.keymask_set", "split"));
        await using var client = await proxy.Program.ConnectAsync();
        for (var at = 1; at < request.Length; at++)
        {
            await client.SendAsync("PING\r\n" + request[..at]);
            Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
            Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(2)), $"answered after {at} bytes");
            await client.SendAsync(request[at..] + "PING\r\n");
            Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
            Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
        }
    }

    [Fact]
    public async Task Behind_a_blocking_command_it_waits_its_turn()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync("BLPOP turn 0\r\nkey_evt_amqp.keymask_set turn\r\nPING\r\n");
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(100)));
        await proxy.Redis.CallAsync("RPUSH", "turn", "now");
        Assert.Equal(["turn", "now"], (await client.ReadReplyAsync()).Texts);
        Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
    }

    [Fact]
    public async Task A_client_that_leaves_behind_a_blocking_command_leaves_nothing()
    {
        var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("CLIENT", "SETNAME", "gone-in-blpop");
        await client.SendAsync("BLPOP nothing 0\r\nkey_evt_amqp.keymask_get\r\n");
        await client.DisposeAsync();
        await Eventually.TrueAsync("its upstream connection to close", async () => !(await proxy.Redis.CallAsync("CLIENT", "LIST")).Text.Contains("gone-in-blpop", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_a_script_keeps_redis_busy_redis_says_so()
    {
        await using var looping = await proxy.Redis.ConnectAsync();
        await looping.SendCommandAsync("EVAL", "while true do end", "0");
        await Eventually.ValueAsync("a busy Redis", async () => (await (await proxy.Redis.ConnectAsync()).CallAsync("GET", "x")).ToString(), reply => reply.StartsWith("-BUSY", StringComparison.Ordinal));
        await using var client = await proxy.Program.ConnectAsync();
        Assert.StartsWith("BUSY", (await client.CallAsync(Get)).Text, StringComparison.Ordinal);
        await proxy.Redis.CallAsync("SCRIPT", "KILL");
        Assert.True((await looping.ReadReplyAsync()).IsError);
        Assert.Equal('*', (await client.CallAsync(Get)).Type);
    }

    [Fact]
    public async Task After_hello_and_reset_it_works()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync("HELLO 3\r\nSELECT 3\r\n");
        Assert.Equal('%', (await client.ReadReplyAsync()).Type);
        await client.ReadReplyAsync();
        Assert.Equal("+OK\\r\\n", (await SetMaskAsync(client, "three")).ToString());
        await client.SendAsync("RESET\r\nkey_evt_amqp.keymask_get\r\nMULTI\r\nRESET\r\nkey_evt_amqp.keymask_get\r\n");
        Assert.Equal("RESET", (await client.ReadReplyAsync()).Text);
        Assert.Equal(["three"], (await client.ReadReplyAsync()).Texts);
        Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
        Assert.Equal("RESET", (await client.ReadReplyAsync()).Text);
        Assert.Equal(["three"], (await client.ReadReplyAsync()).Texts);
    }

    [Fact]
    public async Task In_a_script_it_is_an_unknown_command_as_to_redis()
    {
        string[] script = ["EVAL", "return redis.call('key_evt_amqp.keymask_set', 'x')", "0"];
        var reply = await proxy.Program.CallAsync(script);
        Assert.True(reply.IsError);
        Assert.Contains("Unknown", reply.Text, StringComparison.Ordinal);
        Assert.Equal((await proxy.Redis.ConnectAndCallAsync(script)).Text, reply.Text);
    }

    [Fact]
    public async Task What_is_not_carried_out_never_reaches_redis_and_a_password_never_does()
    {
        await proxy.Redis.CallAsync("CONFIG", "SET", "slowlog-log-slower-than", "0");
        using var monitor = proxy.Redis.Cli.Start("MONITOR");
        await monitor.LineAsync("OK", line => line == "OK");
        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("key_evt_amqp.config_set", "127.0.0.1", "1", "guest", "canary-password");
        await client.CallAsync("key_evt_amqp.keymask_set_typo", "canary-argument");
        await client.SendAsync("MULTI\r\nkey_evt_amqp.keymask_set canary-argument\r\nDISCARD\r\nSET behind 1\r\n");
        await monitor.LineAsync("the command behind", line => line.Contains("behind", StringComparison.Ordinal));
        Assert.DoesNotContain("canary", monitor.AllText, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", (await proxy.Redis.CallAsync("SLOWLOG", "GET", "1000")).ToString(), StringComparison.Ordinal);
        await proxy.Redis.CallAsync("CONFIG", "SET", "slowlog-log-slower-than", "10000");
    }

    [Fact]
    public async Task Many_clients_at_once_each_get_their_own_answers()
    {
        await Parallel.ForAsync(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 40, CancellationToken = TestContext.Current.CancellationToken }, async (n, _) =>
        {
            await using var client = await proxy.Program.ConnectAsync();
            for (var i = 0; i < 20; i++)
            {
                await client.SendAsync($"ECHO {n}-{i}\r\nkey_evt_amqp.nosuch\r\nECHO {n}+{i}\r\n");
                Assert.Equal($"{n}-{i}", (await client.ReadReplyAsync()).Text);
                Assert.StartsWith("ERR unknown subcommand", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
                Assert.Equal($"{n}+{i}", (await client.ReadReplyAsync()).Text);
            }
        });
    }

    private static Task<Reply> SetMaskAsync(RespClient client, string mask) => client.CallAsync("key_evt_amqp.keymask_set", mask);
}
