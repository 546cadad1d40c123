// Does each key_evt_amqp command reply exactly as agreed, and does a wrong one change nothing?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Commands;

/// <summary>No broker is needed here: the masks are set but nothing changes in Redis. The tests share one program and run one after the other.</summary>
public sealed class CommandTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const string Ok = "+OK\\r\\n";

    private static readonly string[] Params = ["127.0.0.1", "5672", "guest", "guest", "30", "amq.direct", "key", "2", "1000"];

    /// <summary>Each with the part of its error text that says what is wrong.</summary>
    public static TheoryData<string[], string> Wrong => new()
    {
        { ["config_set", ""], "host" },
        { ["config_set", "127.0.0.1", "0"], "port" },
        { ["config_set", "127.0.0.1", "70000"], "port" },
        { ["config_set", "127.0.0.1", "abc"], "port" },
        { ["config_set", "127.0.0.1", "-1"], "port" },
        { ["config_set", "127.0.0.1", "56 72"], "port" },
        { ["config_set", "127.0.0.1", "5672", ""], "user" },
        { ["config_set", .. Params[..4], "-1"], "heartbeat" },
        { ["config_set", .. Params[..4], "abc"], "heartbeat" },
        { ["config_set", .. Params[..4], "70000"], "heartbeat" },
        { ["config_set", .. Params[..7], "3"], "delivery" },
        { ["config_set", .. Params[..7], "0"], "delivery" },
        { ["config_set", .. Params[..7], "x"], "delivery" },
        { ["config_set", .. Params[..8], "abc"], "fallback" },
        { ["config_set", .. Params[..8], "99999999999999999999"], "fallback" },
        { ["config_set", .. Params, "good", ""], "mask" },
        { ["config_set", "elsewhere.example"], "amqp-hosts" },
        { ["connect", "127.0.0.1", "0"], "port" },
        { ["connect", .. Params[..7], "3"], "delivery" },
        { ["connect", "elsewhere.example"], "amqp-hosts" },
        { ["events_set", "q"], "q" },
        { ["events_set", "xQ"], "Q" },
        { ["fallback_storage_size_set", "abc"], "" },
        { ["fallback_storage_size_set", ""], "" },
        { ["fallback_storage_size_set", "1.5"], "" },
        { ["keymask_add", ""], "" },
        { ["keymask_set", "good", ""], "" },
        { ["rule_add", ""], "mask=" },
        { ["rule_add", "^session:"], "^session:" },
        { ["rule_add", "mask=good", "events=q mask=a"], "q" },
        { ["rule_add", "db=x mask=a"], "db" },
        { ["rule_add", "events=x mask="], "empty" },
        { ["rule_add", "events=x events=e mask=a"], "twice" },
        { ["format_set", "xml"], "xml" },
        { ["format_set", "0"], "0" },
        { ["format_set", ""], "text, json and cloudevents" },
        { ["format_set", "json", "a.{nosuch}"], "{nosuch}" },
        { ["format_set", "json", new string('k', 256)], "255" },
        { ["format_set", "json", "\xff"], "UTF-8" },
    };

    public static TheoryData<string[]> WrongArity => new()
    {
        { ["disconnect", "x"] },
        { ["fallback_storage_size_set"] },
        { ["fallback_storage_size_set", "1", "2"] },
        { ["keymask_clean", "x"] },
        { ["keymask_add"] },
        { ["keymask_set"] },
        { ["keymask_get", "x"] },
        { ["events_set"] },
        { ["events_set", "x", "e"] },
        { ["events_get", "x"] },
        { ["config_get", "a", "b"] },
        { ["info", "a", "b"] },
        { ["help", "x"] },
        { ["rule_add"] },
        { ["rule_clean", "x"] },
        { ["rule_get", "x"] },
        { ["format_set"] },
        { ["format_set", "a", "b", "c"] },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_value_is_named_and_changes_nothing(string[] command, string named)
    {
        var before = await StateAsync();
        var reply = await CallAsync(command[0], command[1..]);
        Assert.Equal('-', reply.Type);
        Assert.Contains(named, reply.Text, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [MemberData(nameof(WrongArity))]
    public async Task A_wrong_number_of_arguments_gets_redis_own_text(string[] command)
    {
        var before = await StateAsync();
        Assert.Equal($"-ERR wrong number of arguments for 'key_evt_amqp.{command[0]}' command\\r\\n", (await CallAsync(command[0], command[1..])).ToString());
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task Arity_is_said_in_lower_case_as_redis_says_it()
        => Assert.Equal("-ERR wrong number of arguments for 'key_evt_amqp.disconnect' command\\r\\n", (await proxy.Program.CallAsync("KEY_EVT_AMQP.Disconnect", "x")).ToString());

    [Theory]
    [InlineData("key_evt_amqp.x")]
    [InlineData("KEY_EVT_AMQP.NOSUCH")]
    [InlineData("key_evt_amqp.")]
    [InlineData("key_evt_amqp.config_set ")]
    public async Task An_unknown_one_names_the_help(string name)
    {
        var reply = await proxy.Program.CallAsync(name, "some", "args");
        Assert.StartsWith("-ERR unknown subcommand", reply.ToString(), StringComparison.Ordinal);
        Assert.Contains("key_evt_amqp.help", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Masks_are_cleaned_added_set_and_read_back()
    {
        Assert.Equal(Ok, (await CallAsync("keymask_clean")).ToString());
        Assert.Equal("*0\\r\\n", (await CallAsync("keymask_get")).ToString());
        Assert.Equal(Ok, (await CallAsync("keymask_add", "^a.*$", "b\0\xff\r\n")).ToString());
        Assert.Equal(Ok, (await CallAsync("keymask_add", "c")).ToString());
        Assert.Equal(["^a.*$", "b\0\xff\r\n", "c"], (await CallAsync("keymask_get")).Texts);
        Assert.Equal(Ok, (await CallAsync("keymask_add", "ALL")).ToString());
        Assert.Equal(["ALL"], (await CallAsync("keymask_get")).Texts);
        Assert.Equal(Ok, (await CallAsync("keymask_set", "d", "e")).ToString());
        Assert.Equal(["d", "e"], (await CallAsync("keymask_get")).Texts);
        Assert.Equal(Ok, (await CallAsync("keymask_clean")).ToString());
        Assert.Empty((await CallAsync("keymask_get")).Items);
    }

    [Fact]
    public async Task Rules_are_added_read_back_and_cleaned()
    {
        Assert.Equal(Ok, (await CallAsync("rule_clean")).ToString());
        Assert.Equal("*0\\r\\n", (await CallAsync("rule_get")).ToString());
        Assert.Equal(Ok, (await CallAsync("rule_add", "events=xe db=0 mask=^two words=", "mask=\xff\0")).ToString());
        Assert.Equal(Ok, (await CallAsync("rule_add", "db=0 events=ex mask=^two words=")).ToString()); // the same again
        Assert.Equal(["events=xe db=0 mask=^two words=", "events=A mask=\xff\0"], (await CallAsync("rule_get")).Texts);
        Assert.Equal("events=xe db=0 mask=^two words=; events=A mask=\xff\0", await ConfigAsync("rules"));
        Assert.Equal(Ok, (await CallAsync("rule_clean")).ToString());
        Assert.Empty((await CallAsync("rule_get")).Items);
    }

    [Fact]
    public async Task A_mask_is_never_the_commands_own_name()
    {
        // The replaced module added its own name as a mask.
        await CallAsync("keymask_set", "only");
        await CallAsync("keymask_add", "more");
        Assert.Equal(["only", "more"], (await CallAsync("keymask_get")).Texts);
    }

    [Fact]
    public async Task Event_classes_are_set_and_read_back()
    {
        Assert.Equal(Ok, (await CallAsync("events_set", "$xg")).ToString());
        Assert.Equal("$gx", Sorted(await CallAsync("events_get")));
        Assert.Equal(Ok, (await CallAsync("events_set", "A")).ToString());
        Assert.Equal("$deghlstxz", Sorted(await CallAsync("events_get")).Replace("A", "$deghlstxz", StringComparison.Ordinal));
        Assert.Equal(Ok, (await CallAsync("events_set", "KExem")).ToString());
        Assert.Equal("emx", Sorted(await CallAsync("events_get")));
    }

    [Fact]
    public async Task Any_prefix_of_the_parameters_may_be_given()
    {
        for (var count = 1; count <= Params.Length; count++) Assert.Equal(Ok, (await CallAsync("config_set", Params[..count])).ToString());
        Assert.Equal("key", await ConfigAsync("routing_key"));
        Assert.Equal("2", await ConfigAsync("delivery_mode"));
        Assert.Equal("1000", await ConfigAsync("fallback_storage_size"));
        Assert.Equal("amq.direct", await ConfigAsync("exchange"));
        Assert.Equal("30", await ConfigAsync("heartbeat"));
        Assert.Equal("5672", await ConfigAsync("port"));

        await CallAsync("keymask_set", "old");
        Assert.Equal(Ok, (await CallAsync("config_set", Params)).ToString());
        Assert.Equal(["old"], (await CallAsync("keymask_get")).Texts);
        Assert.Equal(Ok, (await CallAsync("config_set", [.. Params, "new", "newer"])).ToString());
        Assert.Equal(["new", "newer"], (await CallAsync("keymask_get")).Texts);
    }

    [Fact]
    public async Task The_password_is_never_read_back()
    {
        Assert.Equal(Ok, (await CallAsync("config_set", "127.0.0.1", "5672", "user", "canary-secret")).ToString());
        Assert.DoesNotContain("canary", (await CallAsync("config_get")).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", (await CallAsync("config_get", "password")).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", (await CallAsync("info")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_fallback_size_takes_zero_and_negative()
    {
        foreach (var size in new[] { "0", "-1", "25", "10000000" })
        {
            Assert.Equal(Ok, (await CallAsync("fallback_storage_size_set", size)).ToString());
            Assert.Equal(size, await ConfigAsync("fallback_storage_size"));
        }
    }

    [Fact]
    public async Task Info_has_its_sections_in_the_form_of_redis_info()
    {
        var text = (await CallAsync("info")).Text;
        foreach (var section in new[] { "server", "upstream", "group", "amqp", "fallback", "ledger", "gaps" })
        {
            Assert.Contains($"# {section}\r\n", text.ToLowerInvariant(), StringComparison.Ordinal);
        }

        Assert.All(text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^(# \\w+|\\w+:.*)$", line));
        Ledger.AssertAddsUp(KeyEvtProcess.ParseInfo(text));

        var one = (await CallAsync("info", "ledger")).Text;
        Assert.StartsWith("# ledger", one, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("# amqp", one, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", (await CallAsync("info", "nosuchsection")).Text.Trim());
    }

    [Fact]
    public async Task Help_has_a_line_for_each_command()
    {
        var lines = (await CallAsync("help")).Texts;
        string[] names =
        [
            "config_set", "connect", "disconnect", "fallback_storage_size_set", "keymask_clean", "keymask_add", "keymask_set", "events_set",
            "keymask_get", "events_get", "config_get", "info", "help",
        ];
        Assert.All(names, name => Assert.Contains(lines, line => line.Contains($"key_evt_amqp.{name}", StringComparison.OrdinalIgnoreCase)));
        Assert.All(lines, line => Assert.DoesNotContain('\n', line));
    }

    [Fact]
    public async Task Answers_are_valid_in_resp3_too()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("HELLO", "3");
        foreach (var name in new[] { "keymask_get", "events_get", "config_get", "info", "help" })
        {
            Assert.False((await client.CallAsync("key_evt_amqp." + name)).IsError);
        }

        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task Nothing_connected_can_not_be_disconnected()
    {
        await CallAsync("keymask_clean"); // while events are wanted there is a connection, or one is tried for
        await CallAsync("rule_clean");
        Assert.StartsWith("-AMQP DISCONNECT ERROR: 1 ", (await CallAsync("disconnect")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_modules_load_line_configures_and_its_unload_resets()
    {
        Assert.Equal(Ok, (await proxy.Program.CallAsync(["MODULE", "LOAD", "/usr/lib/redis/modules/redis_keyspace_amqp.so", "g$", .. Params, "^loaded$"])).ToString());
        Assert.Equal(["^loaded$"], (await CallAsync("keymask_get")).Texts);
        Assert.Equal("$g", Sorted(await CallAsync("events_get")));
        Assert.Equal("2", await ConfigAsync("delivery_mode"));

        Assert.Equal(Ok, (await proxy.Program.CallAsync("module", "unload", "key_evt_amqp")).ToString());
        Assert.Empty((await CallAsync("keymask_get")).Items);
        Assert.Equal("ex", Sorted(await CallAsync("events_get")));
        Assert.Equal("1", await ConfigAsync("delivery_mode"));
    }

    [Fact]
    public async Task A_wrong_load_line_changes_nothing()
    {
        var before = await StateAsync();
        Assert.True((await proxy.Program.CallAsync("MODULE", "LOAD", "/x/redis_keyspace_amqp.so", "Q", "127.0.0.1")).IsError);
        Assert.True((await proxy.Program.CallAsync("MODULE", "LOAD", "/x/redis_keyspace_amqp.so", "x", "127.0.0.1", "0")).IsError);
        Assert.True((await proxy.Program.CallAsync("MODULE", "LOAD", "/x/redis_keyspace_amqp.so", "x", "elsewhere.example")).IsError);
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("MODULE", "LOAD", "/x/other.so")]
    [InlineData("MODULE", "LOAD", "/redis_keyspace_amqp/other.so")]
    [InlineData("MODULE", "UNLOAD", "other")]
    [InlineData("MODULE", "LIST")]
    [InlineData("MODULE", "LOAD")]
    [InlineData("MODULE")]
    [InlineData("MODULE", "NOSUCH", "redis_keyspace_amqp.so")]
    public async Task Other_module_commands_are_for_redis(params string[] command)
        => Assert.Equal((await proxy.Other.ConnectAndCallAsync(command)).ToString(), (await proxy.Program.CallAsync(command)).ToString());

    private static string Sorted(Reply reply) => string.Concat(reply.Text.Order());

    private Task<Reply> CallAsync(string command, params string[] arguments) => proxy.Program.CallAsync(["key_evt_amqp." + command, .. arguments]);

    /// <summary>One value of the configuration, whether it comes alone or after its name.</summary>
    private async Task<string> ConfigAsync(string name)
    {
        var reply = await CallAsync("config_get", name);
        return reply.Items.Count > 0 ? reply.Items[^1].Text : reply.Text;
    }

    private async Task<string> StateAsync() => $"{await CallAsync("config_get")} {await CallAsync("keymask_get")} {await CallAsync("events_get")} {await CallAsync("rule_get")}";
}
