using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Intercept;

/// <summary>What exactly does each command reply, and what does it change?</summary>
public sealed class KeyEvtCommandsTests
{
    private readonly FakeControl _control = new();

    [Theory]
    [InlineData("key_evt_amqp.config_set")]
    [InlineData("key_evt_amqp.disconnect x")]
    [InlineData("key_evt_amqp.fallback_storage_size_set")]
    [InlineData("key_evt_amqp.fallback_storage_size_set 1 2")]
    [InlineData("key_evt_amqp.keymask_clean x")]
    [InlineData("key_evt_amqp.keymask_add")]
    [InlineData("key_evt_amqp.keymask_set")]
    [InlineData("key_evt_amqp.keymask_get x")]
    [InlineData("key_evt_amqp.events_set")]
    [InlineData("key_evt_amqp.events_set x e")]
    [InlineData("key_evt_amqp.events_get x")]
    [InlineData("key_evt_amqp.rule_add")]
    [InlineData("key_evt_amqp.rule_clean x")]
    [InlineData("key_evt_amqp.rule_get x")]
    [InlineData("key_evt_amqp.format_set")]
    [InlineData("key_evt_amqp.format_set text key x")]
    [InlineData("key_evt_amqp.config_get a b")]
    [InlineData("key_evt_amqp.info a b")]
    [InlineData("Key_Evt_AMQP.HELP x")]
    public async Task Wrong_arity_gets_Redis_own_text(string command)
    {
        var name = command.Split(' ')[0].ToLowerInvariant();
        Assert.Equal($"-ERR wrong number of arguments for '{name}' command\r\n", await RunAsync(command));
    }

    [Fact]
    public async Task An_unknown_subcommand_names_help() =>
        Assert.Equal("-ERR unknown subcommand 'nope'. Try key_evt_amqp.help.\r\n", await RunAsync("key_evt_amqp.nope"));

    [Theory]
    [InlineData("nope")]
    [InlineData("1")] // the number of a format is not its name
    [InlineData("")]
    public async Task An_unknown_format_is_named_and_changes_nothing(string format)
    {
        var before = _control.Config;
        Assert.Equal($"-ERR format '{format}' is not known; there are text, json and cloudevents\r\n", await RunAsync(["key_evt_amqp.format_set"u8.ToArray(), Encoding.ASCII.GetBytes(format)]));
        Assert.Same(before, _control.Config);
    }

    [Fact]
    public async Task A_format_comes_with_its_routing_key_or_neither_is_set()
    {
        var before = _control.Config;
        Assert.StartsWith("-ERR ", await RunAsync("key_evt_amqp.format_set json {nothing}"), StringComparison.Ordinal);
        Assert.Same(before, _control.Config);
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.format_set json {event}"));
        Assert.Equal((MessageFormat.Json, "{event}"), (_control.Config.Format, _control.Config.RoutingKey.ToString()));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.format_set text"));
        Assert.Equal((MessageFormat.Text, "{event}"), (_control.Config.Format, _control.Config.RoutingKey.ToString()));
    }

    [Fact]
    public async Task No_byte_of_a_subcommand_can_end_the_error_line()
    {
        var reply = await RunAsync(["key_evt_amqp.a\r\n+OK\0"u8.ToArray()]);
        Assert.Equal(reply.Length - 2, reply.IndexOfAny(['\r', '\n', '\0']));
        Assert.StartsWith("-ERR unknown subcommand ", reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rule_add", "events=x mask=")]
    [InlineData("keymask_add", "")]
    [InlineData("keymask_set", "")]
    [InlineData("config_set 127.0.0.1 5672 user password 30 exchange key 1 10", "")]
    [InlineData("connect 127.0.0.1 5672 user password 30 exchange key 1 10", "")]
    public async Task Masks_and_rules_beyond_the_limit_are_refused_and_nothing_of_the_command_is_applied(string command, string prefix)
    {
        var before = _control.Config = _control.Config with { AmqpHosts = [AllowedBroker.Any] };
        var tooMany = Enumerable.Range(0, 4).Select(i => prefix + (char)('a' + i) + new string('x', 1 << 16));
        var reply = await RunAsync([.. $"key_evt_amqp.{command}".Split(' ').Concat(tooMany).Select(Encoding.ASCII.GetBytes)]);
        Assert.StartsWith("-ERR the masks and rules are too large together", reply, StringComparison.Ordinal);
        Assert.Same(before, _control.Config);
    }

    [Fact]
    public async Task Config_set_takes_any_prefix_of_the_parameters()
    {
        _control.Config = _control.Config with { AmqpHosts = [AllowedBroker.Any] };
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.config_set broker 5673 user pass 20 ex rk 2 100 ^a b$"));
        Assert.Equal("broker:5673 user 20 ex rk 2 100", $"{_control.Config.Amqp.Host}:{_control.Config.Amqp.Port} {_control.Config.Amqp.User} {_control.Config.Amqp.HeartbeatSeconds} {_control.Config.Exchange} {_control.Config.RoutingKey} {_control.Config.DeliveryMode} {_control.Config.FallbackStorageSize}");
        Assert.Equal(2, _control.Config.Masks.Masks.Count);
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.config_set broker 5674"));
        Assert.Equal(5674, _control.Config.Amqp.Port);
        Assert.Equal("ex", _control.Config.Exchange);
    }

    [Theory]
    [InlineData("key_evt_amqp.config_set 127.0.0.1 0")]
    [InlineData("key_evt_amqp.config_set 127.0.0.1 70000")]
    [InlineData("key_evt_amqp.config_set 127.0.0.1 abc")]
    [InlineData("key_evt_amqp.config_set 127.0.0.1 5672 u p -1")]
    [InlineData("key_evt_amqp.config_set 127.0.0.1 5672 u p 20 e r 3")]
    [InlineData("key_evt_amqp.config_set evil-host")]
    [InlineData("key_evt_amqp.connect 127.0.0.1 0")]
    [InlineData("key_evt_amqp.fallback_storage_size_set x")]
    [InlineData("MODULE LOAD /redis_keyspace_amqp.so xe 127.0.0.1 0")]
    public async Task A_wrong_value_is_named_and_changes_nothing(string command)
    {
        var before = _control.Config;
        Assert.StartsWith("-ERR ", await RunAsync(command), StringComparison.Ordinal);
        Assert.Equal(before, _control.Config);
    }

    [Fact]
    public async Task Connect_answers_as_the_replaced_module()
    {
        Assert.Equal("+AMQP CONNECT OK\r\n", await RunAsync("key_evt_amqp.connect"));
        _control.ConnectResult = new ConnectResult(4, "access\r\nrefused");
        Assert.Equal("-AMQP CONNECT ERROR: 4 access  refused\r\n", await RunAsync("key_evt_amqp.connect 127.0.0.1"));
    }

    [Fact]
    public async Task Disconnect_answers_as_the_replaced_module()
    {
        Assert.Equal("-AMQP DISCONNECT ERROR: 1 not connected\r\n", await RunAsync("key_evt_amqp.disconnect"));
        _control.IsConnected = true;
        Assert.Equal("+AMQP DISCONNECT OK\r\n", await RunAsync("key_evt_amqp.disconnect"));
    }

    [Fact]
    public async Task Masks_are_added_set_cleaned_and_read_back()
    {
        Assert.Equal("*0\r\n", await RunAsync("key_evt_amqp.keymask_get"));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.keymask_add ^a b$"));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.keymask_add c"));
        Assert.Equal("*3\r\n$2\r\n^a\r\n$2\r\nb$\r\n$1\r\nc\r\n", await RunAsync("key_evt_amqp.keymask_get"));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.keymask_set d"));
        Assert.Equal("*1\r\n$1\r\nd\r\n", await RunAsync("key_evt_amqp.keymask_get"));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.keymask_add ALL"));
        Assert.Equal("*1\r\n$3\r\nALL\r\n", await RunAsync("key_evt_amqp.keymask_get"));
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.keymask_clean"));
        Assert.Equal("*0\r\n", await RunAsync("key_evt_amqp.keymask_get"));
    }

    [Fact]
    public async Task Events_are_set_and_read_back()
    {
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.events_set xg$"));
        Assert.Equal(EventClass.Expired | EventClass.Generic | EventClass.String, _control.Config.Events);
        var letters = NotifyFlags.Format(_control.Config.Events);
        Assert.Equal($"${letters.Length}\r\n{letters}\r\n", await RunAsync("key_evt_amqp.events_get"));
        Assert.StartsWith("-ERR ", await RunAsync("key_evt_amqp.events_set xq"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_fallback_size_is_set()
    {
        Assert.Equal("+OK\r\n", await RunAsync("key_evt_amqp.fallback_storage_size_set -1"));
        Assert.Equal(-1, _control.Config.FallbackStorageSize);
    }

    [Fact]
    public async Task Config_get_shows_everything_but_the_password()
    {
        _control.Config = _control.Config with { Amqp = _control.Config.Amqp with { Password = "canary" } };
        var all = await RunAsync("key_evt_amqp.config_get");
        Assert.DoesNotContain("canary", all, StringComparison.Ordinal);
        Assert.Contains("$12\r\npassword_set\r\n$3\r\nyes\r\n", all, StringComparison.Ordinal);
        Assert.Equal("*2\r\n$4\r\nport\r\n$4\r\n5672\r\n", await RunAsync("key_evt_amqp.config_get PORT"));
        Assert.Equal("*0\r\n", await RunAsync("key_evt_amqp.config_get password"));
        await RunAsync("key_evt_amqp.keymask_set ^a b$ c");
        Assert.Equal("*2\r\n$7\r\nkeymask\r\n$7\r\n^a b$ c\r\n", await RunAsync("key_evt_amqp.config_get keymask"));
    }

    [Fact]
    public async Task Info_is_written_as_Redis_writes_it()
    {
        _control.Info = [new InfoSection("amqp", [new("state", "down\r\nx")]), new InfoSection("ledger", [new("received", "1")])];
        Assert.Equal("$59\r\n# server\r\n\r\n# amqp\r\nstate:down  x\r\n\r\n# ledger\r\nreceived:1\r\n\r\n", await RunAsync("key_evt_amqp.info"));
        Assert.Equal("$22\r\n# ledger\r\nreceived:1\r\n\r\n", await RunAsync("key_evt_amqp.info LEDGER"));
        Assert.Equal("$0\r\n\r\n", await RunAsync("key_evt_amqp.info nope"));
    }

    [Fact]
    public async Task Help_has_one_line_for_each_command()
    {
        var help = await RunAsync("key_evt_amqp.help");
        Assert.StartsWith($"*{CommandTable.All.Count}\r\n", help, StringComparison.Ordinal);
        Assert.All(CommandTable.All, entry => Assert.Contains($"\r\nkey_evt_amqp.{entry.Name} ", help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Loading_the_replaced_module_is_its_load_line()
    {
        _control.Config = _control.Config with { AmqpHosts = [AllowedBroker.Any] };
        Assert.Equal("+OK\r\n", await RunAsync("MODULE LOAD /x/redis_keyspace_amqp.so g 127.0.0.1 5673 u p 20 ex rk 2 10 ALL"));
        Assert.Equal((EventClass.Generic, 5673, "ex", true), (_control.Config.Events, _control.Config.Amqp.Port, _control.Config.Exchange, _control.Config.Masks.IsAll));
        Assert.Equal("+OK\r\n", await RunAsync("module unload KEY_EVT_AMQP"));
        Assert.Equal([true], _control.Resets);
    }

    [Fact]
    public async Task The_module_may_be_loaded_with_nothing_but_its_path()
    {
        var before = _control.Config;
        Assert.Equal("+OK\r\n", await RunAsync("MODULE LOAD /x/redis_keyspace_amqp.so"));
        Assert.Same(before, _control.Config);
    }

    [Theory]
    [InlineData("key_evt_amqp.keymask_set ALL")]
    [InlineData("key_evt_amqp.config_reset")]
    [InlineData("key_evt_amqp.connect")]
    [InlineData("key_evt_amqp.disconnect")]
    [InlineData("MODULE UNLOAD key_evt_amqp")]
    public async Task What_the_group_refuses_is_an_error_with_its_reason(string command)
    {
        _control.Refusal = "the group is not heard";
        Assert.Equal("-ERR keyevt: the group is not heard\r\n", await RunAsync(command));
    }

    [Theory]
    [InlineData("key_evt_amqp.config_reset", false)]
    [InlineData("MODULE UNLOAD key_evt_amqp", true)]
    public async Task A_reset_goes_back_to_the_options_and_unloading_stops_forwarding(string command, bool isUnloading)
    {
        Assert.Equal("+OK\r\n", await RunAsync(command));
        Assert.Equal([isUnloading], _control.Resets);
    }

    private Task<string> RunAsync(string command) => RunAsync([.. command.Split(' ').Select(Encoding.Latin1.GetBytes)]);

    private async Task<string> RunAsync(byte[][] arguments)
    {
        var commands = new KeyEvtCommands(_control, NullLogger<KeyEvtCommands>.Instance);
        var reply = await commands.ExecuteAsync(new RespRequest([.. arguments.Select(argument => (ReadOnlyMemory<byte>)argument)]), TestContext.Current.CancellationToken);
        return Encoding.Latin1.GetString(reply.Span);
    }
}
