// Is every command refused, in every state, to whoever lacks the right to it at the Redis behind?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Intercept;

[Trait("Against", "every-redis")]
[Trait("Concerns", "sessions")]
public sealed class AuthorizationTests(GuardedProxy proxy) : IClassFixture<GuardedProxy>
{
    private static readonly string[][] AllCommands =
    [
        ["key_evt_amqp.config_set", "127.0.0.1", "1"],
        ["key_evt_amqp.config_set"],
        ["key_evt_amqp.connect"],
        ["key_evt_amqp.disconnect"],
        ["key_evt_amqp.fallback_storage_size_set", "5"],
        ["key_evt_amqp.keymask_clean"],
        ["key_evt_amqp.keymask_add", "x"],
        ["key_evt_amqp.keymask_set", "x"],
        ["key_evt_amqp.events_set", "A"],
        ["key_evt_amqp.keymask_get"],
        ["key_evt_amqp.events_get"],
        ["key_evt_amqp.config_get"],
        ["key_evt_amqp.info"],
        ["key_evt_amqp.help"],
        ["key_evt_amqp.nosuch"],
        ["KEY_EVT_AMQP.Keymask_Set", "x"],
        ["MODULE", "LOAD", "/usr/lib/redis_keyspace_amqp.so", "A", "127.0.0.1"],
        ["MODULE", "UNLOAD", "key_evt_amqp"],
    ];

    public static TheoryData<string[]> Commands => [.. AllCommands];

    /// <summary>What a client has done before, and whether it is then logged in as low.</summary>
    public static TheoryData<string, string> States => new()
    {
        { "not logged in", "" },
        { "not logged in, RESP3 refused", "HELLO 3\r\n" },
        { "failed to log in", "AUTH low wrong\r\n" },
        { "low", $"AUTH low {GuardedProxy.UserPassword}\r\n" },
        { "low, RESP3", $"HELLO 3 AUTH low {GuardedProxy.UserPassword}\r\n" },
        { "low, then failed to become root", $"AUTH low {GuardedProxy.UserPassword}\r\nAUTH default wrong\r\n" },
        { "root, then low", $"AUTH {GuardedProxy.RootPassword}\r\nAUTH low {GuardedProxy.UserPassword}\r\n" },
        { "root, then reset", $"AUTH {GuardedProxy.RootPassword}\r\nRESET\r\n" },
        { "tiny", $"AUTH tiny {GuardedProxy.UserPassword}\r\n" },
        { "tiny, subscribed", $"AUTH tiny {GuardedProxy.UserPassword}\r\nSUBSCRIBE tiny:1\r\n" },
        { "tiny, RESP3, subscribed", $"HELLO 3 AUTH tiny {GuardedProxy.UserPassword}\r\nSUBSCRIBE tiny:1\r\n" },
        { "low, subscribed", $"AUTH low {GuardedProxy.UserPassword}\r\nSUBSCRIBE a\r\n" },
    };

    [Theory]
    [MemberData(nameof(States))]
    public async Task Every_command_is_refused_with_redis_own_words(string state, string before)
    {
        Assert.NotEmpty(state);
        await using var client = await proxy.Program.ConnectAsync();
        await using var direct = await RespClient.ConnectAsync(proxy.Redis.Port); // not logged in, as the other
        foreach (var side in new[] { client, direct })
        {
            // One by one: Redis 7.2 to 8.x and Valkey 8 leave a failed AUTH behind another command in the same read without a reply.
            foreach (var line in before.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
            {
                await side.SendAsync(line + "\r\n");
                await side.ReadReplyAsync();
            }
        }
        foreach (var command in AllCommands)
        {
            var words = (await direct.CallAsync(RightOf(command))).ToString();
            Assert.StartsWith("-", words, StringComparison.Ordinal);
            Assert.Equal($"{command[0]} {words}", $"{command[0]} {await client.CallAsync(command)}");
        }
        await NothingChangedAsync();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task In_a_pipeline_with_a_failing_login_it_is_refused(string[] command)
    {
        var before = "AUTH low wrong\r\nPING\r\n";
        var answer = await AnswerAsync(proxy.Program.Port, before, command);
        Assert.Equal(await AnswerAsync(proxy.Redis.Port, before, RightOf(command)), answer);
        Assert.Contains("-NOAUTH", answer, StringComparison.Ordinal);
        await NothingChangedAsync();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task In_a_transaction_of_low_it_is_refused_and_the_transaction_aborts(string[] command)
    {
        await using var client = await LoggedInAsync("low");
        await client.SendAsync("MULTI\r\nSET a 1\r\n");
        await client.SendCommandAsync(command);
        await client.SendAsync("EXEC\r\nPING\r\n");
        Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.Equal("+QUEUED\\r\\n", (await client.ReadReplyAsync()).ToString());
        Assert.True((await client.ReadReplyAsync()).IsError);
        Assert.StartsWith("EXECABORT", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
        Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
        await NothingChangedAsync();
    }

    [Theory]
    [InlineData("CLIENT REPLY OFF\r\n", "CLIENT REPLY ON\r\n")]
    [InlineData("CLIENT REPLY SKIP\r\n", "")]
    public async Task Without_replies_nothing_is_done_for_low(string before, string after)
    {
        await using var client = await LoggedInAsync("low");
        foreach (var command in AllCommands)
        {
            await client.SendAsync(before);
            await client.SendCommandAsync(command);
            await client.SendAsync(after + "ECHO end\r\n");
            if (after.Length > 0) Assert.Equal("+OK\\r\\n", (await client.ReadReplyAsync()).ToString());
            Assert.Equal("end", (await client.ReadReplyAsync()).Text);
        }
        await NothingChangedAsync();
    }

    [Fact]
    public async Task Messages_that_look_like_a_permission_are_not_one()
    {
        string[] fakes =
        [
            "-ERR Unknown option or number of arguments for CONFIG SET - 'key_evt_amqp.1'\r\n", "*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", "%1\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", "\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$1\r\nA\r\n", "+OK\r\n*2\r\n",
        ];
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync($"HELLO 3 AUTH low {GuardedProxy.UserPassword}\r\nSUBSCRIBE fake\r\n");
        await client.ReadReplyAsync();
        await client.ReadReplyAsync();
        using var enough = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            await using var publisher = await proxy.Redis.ConnectAsync();
            await publisher.CallAsync("AUTH", GuardedProxy.RootPassword);
            for (var n = 0; !enough.IsCancellationRequested; n++) await publisher.CallAsync("PUBLISH", "fake", fakes[n % fakes.Length]);
        }, TestContext.Current.CancellationToken);

        for (var n = 0; n < 200; n++)
        {
            await client.SendCommandAsync("key_evt_amqp.keymask_set", "taken over");
            Reply reply;
            do
                reply = await client.ReadReplyAsync();
            while (reply.Type == '>');
            Assert.StartsWith("NOPERM", reply.Text, StringComparison.Ordinal);
        }
        await enough.CancelAsync();
        await publishing;
        await NothingChangedAsync();
    }

    [Fact]
    public async Task A_monitoring_low_user_is_refused_whatever_lines_come_between()
    {
        await using var client = await LoggedInAsync("low");
        Assert.Equal("OK", (await client.CallAsync("MONITOR")).Text);
        await using var other = await LoggedInAsync("low");
        for (var n = 0; n < 100; n++)
        {
            await other.SendCommandAsync("SET", "*2\r\n$22\r\nnotify-keyspace-events\r\n$1\r\nA\r\n", "%1\r\n$22\r\nnotify-keyspace-events");
            await client.SendCommandAsync("key_evt_amqp.keymask_set", "taken over");
            Reply reply;
            do
                reply = await client.ReadReplyAsync();
            while (reply.Type == '+' && char.IsAsciiDigit(reply.Text[0]));
            Assert.StartsWith("NOPERM", reply.Text, StringComparison.Ordinal);
        }
        await NothingChangedAsync();
    }

    [Fact]
    public async Task Rights_are_asked_at_each_command_and_never_remembered()
    {
        await using var root = await LoggedInAsync("default", GuardedProxy.RootPassword);
        await root.CallAsync("ACL", "SETUSER", "changing", "on", ">pw", "~*", "+@all");
        await using var client = await LoggedInAsync("changing", "pw");
        Assert.Equal('*', (await client.CallAsync("key_evt_amqp.keymask_get")).Type);
        await root.CallAsync("ACL", "SETUSER", "changing", "-config");
        Assert.StartsWith("NOPERM", (await client.CallAsync("key_evt_amqp.keymask_get")).Text, StringComparison.Ordinal);
        await root.CallAsync("ACL", "SETUSER", "changing", "+config");
        Assert.Equal('*', (await client.CallAsync("key_evt_amqp.keymask_get")).Type);
    }

    [Fact]
    public async Task Whoever_may_CONFIG_GET_may_read_and_change_nothing()
    {
        await using var client = await LoggedInAsync("ops");
        await using var direct = await proxy.Redis.ConnectAsync();
        Assert.Equal("OK", (await direct.CallAsync("AUTH", "ops", GuardedProxy.UserPassword)).Text);
        foreach (var command in AllCommands)
        {
            var reply = await client.CallAsync(command);
            if (IsReading(command))
            {
                Assert.True(command[0].EndsWith("nosuch", StringComparison.Ordinal) ? reply.Text.StartsWith("ERR unknown subcommand", StringComparison.Ordinal) : !reply.IsError, $"{command[0]} {reply}");
            }
            else
            {
                Assert.Equal($"{command[0]} {await direct.CallAsync("CONFIG", "SET", "nosuch", "1")}", $"{command[0]} {reply}");
            }
        }
        await NothingChangedAsync();
    }

    [Fact]
    public async Task Whoever_may_CONFIG_SET_may_change()
    {
        await using var root = await LoggedInAsync("default", GuardedProxy.RootPassword);
        await root.CallAsync("ACL", "SETUSER", "setter", "on", ">pw", "resetkeys", "-@all", "+config|set", "+hello", "+subscribe", "allchannels");
        foreach (var hello in new[] { "2", "3" })
        {
            await using var client = await proxy.Program.ConnectAsync();
            await client.CallAsync("HELLO", hello, "AUTH", "setter", "pw");
            Assert.Equal("OK", (await client.CallAsync("key_evt_amqp.rule_add", "mask=^a")).Text);
            Assert.Equal("OK", (await client.CallAsync("key_evt_amqp.rule_clean")).Text);
            Assert.StartsWith("NOPERM", (await client.CallAsync("key_evt_amqp.rule_get")).Text, StringComparison.Ordinal);
        }
        await NothingChangedAsync();
    }

    [Fact]
    public async Task A_password_in_the_same_pipeline_counts()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync($"key_evt_amqp.keymask_get\r\nAUTH {GuardedProxy.RootPassword}\r\nkey_evt_amqp.keymask_get\r\nAUTH tiny {GuardedProxy.UserPassword}\r\nkey_evt_amqp.keymask_get\r\n");
        Assert.StartsWith("NOAUTH", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
        Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
        Assert.Equal(["^unchanged$"], (await client.ReadReplyAsync()).Texts);
        Assert.Equal("OK", (await client.ReadReplyAsync()).Text);
        Assert.StartsWith("NOPERM", (await client.ReadReplyAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_config_the_admin_users_may_and_nobody_else()
    {
        await using var redis = await RedisServer.StartAsync(
            "rename-command CONFIG \"\"", "notify-keyspace-events AKE", $"requirepass {GuardedProxy.RootPassword}",
            "user ops on >pw ~* &* +@all", "user low on >pw ~* &* +@all");
        await using var program = await KeyEvtProcess.StartAsync(
            ["--upstream", $"redis://:{GuardedProxy.RootPassword}@127.0.0.1:{redis.Port}", "--notify-config", "off", "--admin-users", "ops", "--admin-users", "other", "--keymask", "m"]);
        Assert.Equal(["m"], (await AsAsync("ops")).Texts);
        Assert.True((await AsAsync("low")).IsError);
        Assert.StartsWith("NOAUTH", (await program.CallAsync("key_evt_amqp.keymask_get")).Text, StringComparison.Ordinal);

        async Task<Reply> AsAsync(string user)
        {
            await using var client = await program.ConnectAsync();
            Assert.Equal("OK", (await client.CallAsync("AUTH", user, "pw")).Text);
            return await client.CallAsync("key_evt_amqp.keymask_get");
        }
    }

    [Fact]
    public async Task Without_config_and_without_admin_users_nobody_may()
    {
        await using var redis = await RedisServer.StartAsync("rename-command CONFIG \"\"", "notify-keyspace-events AKE");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--notify-config", "off"]);
        Assert.True((await program.CallAsync("key_evt_amqp.keymask_get")).IsError);
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
    }

    private static bool IsReading(string[] command) => command[0].StartsWith("key", StringComparison.Ordinal) && command[0].Split('.')[1] is "keymask_get" or "events_get" or "config_get" or "info" or "help" or "nosuch";

    /// <summary>What Redis itself would be asked: the right to the one is the right to the other.</summary>
    private static string[] RightOf(string[] command) => IsReading(command) ? ["CONFIG", "GET", "notify-keyspace-events"] : ["CONFIG", "SET", "nosuch", "1"];

    private static async Task<string> AnswerAsync(int port, string before, string[] command)
    {
        await using var client = await RespClient.ConnectAsync(port);
        await client.SendAsync((byte[])[.. System.Text.Encoding.Latin1.GetBytes(before), .. RespClient.Command(command), .. RespClient.Command("QUIT")]);
        return await client.ReadTextToEndAsync();
    }

    private async Task<RespClient> LoggedInAsync(string user, string password = GuardedProxy.UserPassword)
    {
        var client = await proxy.Program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("AUTH", user, password)).Text);
        return client;
    }

    private async Task NothingChangedAsync()
    {
        await using var root = await LoggedInAsync("default", GuardedProxy.RootPassword);
        Assert.Equal(["^unchanged$"], (await root.CallAsync("key_evt_amqp.keymask_get")).Texts);
        Assert.Equal("ex", string.Concat((await root.CallAsync("key_evt_amqp.events_get")).Text.Order()));
        var info = await proxy.Program.InfoAsync(["default", GuardedProxy.RootPassword]);
        Assert.Contains(info["amqp.state"], (string[])["connecting", "backoff"]); // there is no broker, and nobody has given disconnect
    }
}
