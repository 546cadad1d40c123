// Row S06: can a command make the program send the broker's password to a place where it does not belong?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class S06_PasswordPlaceTests
{
    private const string User = "configured";
    private const string Canary = "canary-amqp-password";

    /// <summary>Commands that somebody who may use CONFIG SET could try, one after the other. {home} and {trap} stand for the ports of two brokers.</summary>
    public static TheoryData<string, string[]> Attempts => new()
    {
        { "at once", ["key_evt_amqp.connect 127.0.0.1 {trap}"] },
        { "the password's own user at the other port", [$"key_evt_amqp.connect 127.0.0.1 {{trap}} {User}"] },
        { "step by step", ["key_evt_amqp.config_set 127.0.0.1 {trap}", $"key_evt_amqp.config_set 127.0.0.1 {{trap}} {User}", "key_evt_amqp.connect"] },
        { "while connected", ["key_evt_amqp.connect", "key_evt_amqp.config_set 127.0.0.1 {trap}", "key_evt_amqp.connect"] },
        { "by way of another user", ["key_evt_amqp.connect 127.0.0.1 {home} other", "key_evt_amqp.connect 127.0.0.1 {trap} other"] },
        { "another user and back, then away", ["key_evt_amqp.config_set 127.0.0.1 {home} other", $"key_evt_amqp.config_set 127.0.0.1 {{home}} {User}", "key_evt_amqp.connect 127.0.0.1 {trap}"] },
        { "there and back again", ["key_evt_amqp.connect 127.0.0.1 {trap}", "key_evt_amqp.connect 127.0.0.1 {home}", "key_evt_amqp.connect 127.0.0.1 {trap}"] },
        { "as the module's load line", ["MODULE LOAD redis_keyspace_amqp.so xe 127.0.0.1 {trap}", "key_evt_amqp.connect"] },
        { "as the module, unloaded", ["MODULE LOAD redis_keyspace_amqp.so xe 127.0.0.1 {trap}", "MODULE UNLOAD key_evt_amqp", "key_evt_amqp.connect 127.0.0.1 {trap}"] },
        { "over another name of the host", ["key_evt_amqp.connect localhost {trap}", $"key_evt_amqp.connect localhost {{home}} {User}"] },
    };

    [Theory]
    [MemberData(nameof(Attempts))]
    public async Task The_password_goes_to_the_configured_broker_and_user_and_nowhere_else(string name, string[] commands)
    {
        Assert.NotEmpty(name);
        await using var home = ScriptedBroker.Start();
        await using var trap = ScriptedBroker.Start();
        var setting = Setting(home) with { Options = ["--amqp-hosts", $"127.0.0.1:{trap.Port}", "--amqp-hosts", $"localhost:{trap.Port}", "--amqp-hosts", $"localhost:{home.Port}"] };
        await Stage.RunAsync(rabbit: null, setting, async stage =>
        {
            foreach (var command in commands)
            {
                await stage.CallAsync(command.Replace("{home}", $"{home.Port}", StringComparison.Ordinal).Replace("{trap}", $"{trap.Port}", StringComparison.Ordinal).Split(' '));
            }

            await Eventually.TrueAsync("a login at the trap", () => Task.FromResult(trap.Logins.Count > 0));
        });
        Assert.All(trap.Logins, login => Assert.Equal("", login.Password));
        Assert.All(home.Logins, login => Assert.Equal(login.User == User && !commands.Any(command => command.Contains("localhost", StringComparison.Ordinal)) ? Canary : "", login.Password));
    }

    [Fact]
    public async Task The_configured_broker_gets_its_password_again_when_a_command_names_it_and_its_user()
    {
        await using var home = ScriptedBroker.Start();
        await using var other = ScriptedBroker.Start();
        await Stage.RunAsync(rabbit: null, Setting(home) with { Options = ["--amqp-hosts", $"127.0.0.1:{other.Port}"] }, async stage =>
        {
            await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{other.Port}", "theirs", "given");
            Assert.Equal([("theirs", "given")], other.Logins);
            await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{home.Port}", User);
            Assert.Equal([(User, Canary)], home.Logins);
        });
    }

    [Fact]
    public async Task Another_port_of_the_brokers_host_is_refused_unless_it_is_named_in_amqp_hosts()
    {
        await using var home = ScriptedBroker.Start();
        await using var trap = ScriptedBroker.Start();
        await Stage.RunAsync(rabbit: null, Setting(home) with { Options = ["--amqp-hosts", "127.0.0.1"] }, async stage =>
        {
            Assert.Equal($"ERR broker '127.0.0.1:{trap.Port}' is not allowed: name it in the option --amqp-hosts", (await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{trap.Port}", "u", "p")).Text);
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", "5671", "u", "p")).Text);
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", $"{home.Port}", "u", "p")).Text);
        });
        Assert.Empty(trap.Logins);
    }

    private static StageSetting Setting(ScriptedBroker home) => new() { AmqpUrl = $"amqp://{User}:{Canary}@127.0.0.1:{home.Port}/", Masks = [], Queue = false };
}
