// Can a password be rotated at Redis and RabbitMQ, and in its file, while the program runs?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Secrets;

public sealed class RotationTests(SharedBroker broker)
{
    private const string Old = "old-canary";
    private const string New = "new-canary";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RabbitMQs_password_is_read_again_after_a_refused_login_or_at_SIGHUP(bool hangUp)
    {
        var rabbit = await broker.GetAsync();
        var user = await rabbit.AddUserAsync(Old);
        using var folder = new PrivateFolder("rotation");
        var file = folder.Write("amqp", Old + "\n");
        await Stage.RunAsync(rabbit, new StageSetting { AmqpUrl = $"amqp://{user}@127.0.0.1:{rabbit.Port}/", Options = ["--amqp-password-file", file] }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");

            await rabbit.CtlAsync("change_password", user, New);
            if (hangUp)
            {
                await HangUpAsync(stage.Program, file, New);
                await stage.CallAsync("SET", "b", "1");
                await stage.Consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb"); // what is connected stays connected
            }

            await CloseAsync(rabbit, user);
            if (!hangUp)
            {
                await stage.CallAsync("SET", "b", "1");
                await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains($"refused user '{user}'", StringComparison.Ordinal));
                await File.WriteAllTextAsync(file, New + "\n", TestContext.Current.CancellationToken);
            }

            await stage.CallAsync("SET", "c", "1");
            await Eventually.TrueAsync("the event after the rotation", () => Task.FromResult(stage.Consumer.Received.Any(message => message.Key == "c")));
            if (hangUp) Assert.DoesNotContain("refused user", stage.Program.Process.AllText, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_leaves_the_password_and_the_log_says_why()
    {
        var rabbit = await broker.GetAsync();
        var user = await rabbit.AddUserAsync(Old);
        using var folder = new PrivateFolder("rotation");
        var file = folder.Write("amqp", Old);
        await Stage.RunAsync(rabbit, new StageSetting { AmqpUrl = $"amqp://{user}@127.0.0.1:{rabbit.Port}/", Masks = [], Options = ["--amqp-password-file", file] }, async stage =>
        {
            await File.WriteAllTextAsync(file, "\n", TestContext.Current.CancellationToken);
            stage.Program.Process.Signal(ChildProcess.SigHup);
            await stage.Program.Process.SaysAsync("which must hold a password");
            Assert.Equal("AMQP CONNECT OK", (await stage.CallAsync("key_evt_amqp.connect")).Text);
            await rabbit.CtlAsync("change_password", user, New);
            await CloseAsync(rabbit, user);
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("the password file could not be read again: which must hold a password", StringComparison.Ordinal));
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Redis_password_is_read_again_by_feed_and_fallback(bool hangUp)
    {
        using var folder = new PrivateFolder("rotation");
        var file = folder.Write("redis", Old);
        await using var redis = await RedisServer.StartAsync($"user keyevt on >{Old} ~* &* +@all");
        await using var program = await KeyEvtProcess.StartAsync(
            ["--upstream", $"redis://keyevt@127.0.0.1:{redis.Port}", "--upstream-password-file", file, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--events", "A", "--keymask", "ALL"]);
        await SetAsync("a", 1);

        await redis.CallAsync("ACL", "SETUSER", "keyevt", "resetpass", ">" + New);
        if (hangUp) await HangUpAsync(program, file, New);
        await redis.CallAsync("CLIENT", "KILL", "USER", "keyevt", "SKIPME", "yes");
        if (!hangUp)
        {
            await program.Process.SaysAsync("the login as 'keyevt' is refused");
            await File.WriteAllTextAsync(file, New, TestContext.Current.CancellationToken);
        }

        await Eventually.TrueAsync(
            "the feed is back behind its gap",
            async () => await program.AdminInfoAsync() is var info && info["gaps.gaps_total"] != "0" && info["gaps.gaps_open"] == "0",
            TimeSpan.FromSeconds(60));
        await SetAsync("b", 2);
        if (hangUp) Assert.DoesNotContain("is refused", program.Process.AllText, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", program.Process.AllText, StringComparison.Ordinal);

        async Task SetAsync(string key, long stored)
        {
            await redis.CallAsync("SET", key, "1");
            await Eventually.ValueAsync("stored events", async () => (await redis.CallAsync("LLEN", Stage.FallbackKey)).Integer, length => length == stored, TimeSpan.FromSeconds(60));
        }
    }

    private static async Task HangUpAsync(KeyEvtProcess program, string file, string secret)
    {
        await File.WriteAllTextAsync(file, secret + "\n", TestContext.Current.CancellationToken);
        program.Process.Signal(ChildProcess.SigHup);
        await program.Process.SaysAsync(string.Create(CultureInfo.InvariantCulture, $"The secret file {file} was read again"));
    }

    /// <summary>Of this user alone: other tests share the broker.</summary>
    private static async Task CloseAsync(RabbitServer rabbit, string user) => await rabbit.CtlAsync("close_all_user_connections", user, "closed by a test");
}
