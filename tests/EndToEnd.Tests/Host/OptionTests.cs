// How are options read, and what does a wrong one say?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

public sealed class OptionTests
{
    [Fact]
    public async Task All_faults_are_said_at_once_and_the_exit_code_is_2()
    {
        var result = await KeyEvtProcess.RunAsync(
        [
            "--listen", "nonsense", "--upstream", "http://x", "--amqp", "amqp://u:canary-secret@host:99999/", "--events", "xQ", "--heartbeat", "-1", "--delivery-mode", "3", "--fallback-storage-size", "many",
            "--admin", "x:y", "--notify-config", "maybe", "--no-such-option", "1",
        ]);
        Assert.Equal(2, result.ExitCode);
        var lines = (result.Output + result.Errors).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var option in new[] { "--listen", "--upstream", "--amqp", "--events", "--heartbeat", "--delivery-mode", "--fallback-storage-size", "--admin", "--notify-config", "--no-such-option" })
        {
            Assert.Single(lines, line => line.Contains(option + " ", StringComparison.Ordinal) || line.Contains(option + ":", StringComparison.Ordinal));
        }

        Assert.DoesNotContain("canary", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_wins_over_the_environment_and_that_over_the_file()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new PrivateFolder("config");
        var file = folder.Write("keyevt.json", $$"""{ "upstream": "{{redis.Url}}", "events": "l", "heartbeat": 7, "exchange": "from-file", "keymask": ["one", "two"] }""");
        await using var program = await KeyEvtProcess.StartAsync(
            ["--config", file, "--events", "z"],
            new Dictionary<string, string> { ["KEYEVT_EVENTS"] = "s", ["KEYEVT_HEARTBEAT"] = "8", ["KEYEVT_DELIVERY_MODE"] = "2" });
        Assert.Equal("z", (await program.CallAsync("key_evt_amqp.events_get")).Text);
        Assert.Equal("8", await ConfigAsync(program, "heartbeat"));
        Assert.Equal("from-file", await ConfigAsync(program, "exchange"));
        Assert.Equal("2", await ConfigAsync(program, "delivery_mode"));
        Assert.Equal(["one", "two"], (await program.CallAsync("key_evt_amqp.keymask_get")).Texts);
    }

    [Fact]
    public async Task The_modules_load_line_is_taken_verbatim()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--loadmodule", "g$ 127.0.0.1 5672 user pass 20 exchange routing_key 2 1000 ^a.*$ b"]);
        Assert.Equal("$g", string.Concat((await program.CallAsync("key_evt_amqp.events_get")).Text.Order()));
        Assert.Equal("exchange", await ConfigAsync(program, "exchange"));
        Assert.Equal("routing_key", await ConfigAsync(program, "routing_key"));
        Assert.Equal("1000", await ConfigAsync(program, "fallback_storage_size"));
        Assert.Equal(["^a.*$", "b"], (await program.CallAsync("key_evt_amqp.keymask_get")).Texts);
    }

    [Fact]
    public async Task Version_and_help_are_printed()
    {
        var version = await KeyEvtProcess.RunAsync(["--version"]);
        Assert.Equal(0, version.ExitCode);
        Assert.Matches("[0-9]+\\.[0-9]+\\.[0-9]+", version.Output);
        var help = await KeyEvtProcess.RunAsync(["--help"]);
        Assert.Equal(0, help.ExitCode);
        string[] options =
        [
            "listen", "upstream", "amqp", "events", "heartbeat", "exchange", "routing-key", "delivery-mode", "fallback-storage-size", "keymask", "loadmodule", "declare-queue", "declare-queue-type", "admin", "notify-config", "amqp-hosts",
            "amqp-password-file", "upstream-password-file", "admin-users", "config",
        ];
        Assert.All(options, option => Assert.Contains("--" + option, help.Output, StringComparison.Ordinal));
    }

    private static async Task<string> ConfigAsync(KeyEvtProcess program, string name)
    {
        var reply = await program.CallAsync("key_evt_amqp.config_get", name);
        return reply.Items.Count > 0 ? reply.Items[^1].Text : reply.Text;
    }
}
