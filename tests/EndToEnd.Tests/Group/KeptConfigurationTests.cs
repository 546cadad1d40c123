// Where is the configuration of a group kept, who may change it, and what becomes of it when Redis loses it?
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed partial class KeptConfigurationTests(SharedBroker broker) : IDisposable
{
    private const string Key = "REDIS_MODULE-key_evt_amqp-fallback_storage-config:orders";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly string _secret = Path.GetTempFileName();

    public void Dispose() => File.Delete(_secret);

    [Fact]
    public async Task What_FLUSHALL_has_taken_is_written_again()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, _) =>
        {
            Assert.Equal("OK", (await stage.Members[1].Program.CallAsync("key_evt_amqp.keymask_add", "^v:")).Text);
            var kept = await KeptAsync(stage);
            await stage.Redis.CallAsync("FLUSHALL");
            await Eventually.TrueAsync("the configuration to be kept again", async () => await KeptAsync(stage) == kept, Soon);
            await Task.WhenAll(stage.Members.Select(stage.KillAsync));
            await stage.Members[2].StartAgainAsync();
            await ConfigTest.AllHaveAsync(stage, "^t:", "^v:");
        });
    }

    [Fact]
    public async Task A_version_that_was_kept_but_never_said_comes_into_force()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting(), async (stage, _) =>
        {
            // As if a member had ended between the two.
            var kept = await KeptAsync(stage);
            var next = Version().Replace(kept, version => $"{long.Parse(version.Value, System.Globalization.CultureInfo.InvariantCulture) + 60_000}").Replace("\"^t:\"", "\"^t:\",\"^w:\"", StringComparison.Ordinal);
            await stage.Redis.CallAsync("SET", Key, next);
            await ConfigTest.AllHaveAsync(stage, "^t:", "^w:");
        });
    }

    [Fact]
    public async Task What_is_kept_in_nobodys_seal_is_replaced()
    {
        await File.WriteAllTextAsync(_secret, "a secret of the group", TestContext.Current.CancellationToken);
        await ConfigTest.RunAsync(broker, new GroupSetting { Options = ["--group-secret-file", _secret] }, async (stage, _) =>
        {
            var kept = await KeptAsync(stage);
            await stage.Redis.CallAsync("SET", Key, kept.Replace("\"^t:\"", "\"ALL\"", StringComparison.Ordinal));
            Assert.Equal("OK", (await stage.Members[0].Program.CallAsync("key_evt_amqp.keymask_add", "^v:")).Text);
            await ConfigTest.AllHaveAsync(stage, "^t:", "^v:");
            Assert.Contains("\"^t:\",\"^v:\"", await KeptAsync(stage), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task With_a_secret_all_members_get_a_login_and_Redis_never_sees_its_password()
    {
        await File.WriteAllTextAsync(_secret, "a secret of the group", TestContext.Current.CancellationToken);
        await ConfigTest.RunAsync(broker, new GroupSetting { Options = ["--group-secret-file", _secret] }, async (stage, _) =>
        {
            var port = stage.Relay.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal("OK", (await stage.Members[1].Program.CallAsync("key_evt_amqp.config_set", "127.0.0.1", port, "somebody", "pass-of-somebody")).Text);
            foreach (var member in stage.Members)
            {
                Assert.Equal(["username", "somebody"], (await member.Program.CallAsync("key_evt_amqp.config_get", "username")).Texts);
                Assert.Equal(["password_set", "yes"], (await member.Program.CallAsync("key_evt_amqp.config_get", "password_set")).Texts);
            }

            var kept = await KeptAsync(stage);
            Assert.Contains("\"password\":", kept, StringComparison.Ordinal);
            Assert.DoesNotContain("pass-of-somebody", kept, StringComparison.Ordinal);

            Assert.Contains("AMQP CONNECT ERROR: 4", (await stage.Members[2].Program.CallAsync("key_evt_amqp.connect")).Text, StringComparison.Ordinal);
            Assert.Equal("OK", (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_reset")).Text);
            await stage.Redis.CallAsync("SET", "t:1", "1");
            await stage.Consumer.WaitForKeysAsync(["t:1"]);
        });
    }

    [Fact]
    public async Task Without_a_secret_a_login_is_changed_only_by_a_member_that_is_alone()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting { Names = ["a", "b"] }, async (stage, _) =>
        {
            var port = stage.Relay.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.Contains("--group-secret-file", (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_set", "127.0.0.1", port, "somebody", "pass")).Text, StringComparison.Ordinal);
            Assert.NotEqual(["username", "somebody"], (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_get", "username")).Texts);

            await stage.KillAsync(stage.Members[1]);
            await Eventually.TrueAsync("the other to be forgotten", async () => (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_set", "127.0.0.1", port, "somebody", "pass")).Text == "OK");
            Assert.Equal(["username", "somebody"], (await stage.Members[0].Program.CallAsync("key_evt_amqp.config_get", "username")).Texts);
        });
    }

    [Fact]
    public async Task Where_nothing_is_kept_a_change_lasts_as_long_as_a_member_does()
    {
        await ConfigTest.RunAsync(broker, new GroupSetting { Options = ["--config-store", "off"] }, async (stage, _) =>
        {
            await Task.WhenAll(stage.Members.Select(async member => Assert.Equal("OK", (await member.Program.CallAsync("key_evt_amqp.keymask_add", $"^{member.Name}:")).Text)));
            string[] masks = ["^t:", "^a:", "^b:", "^c:"];
            foreach (var member in stage.Members)
            {
                await Eventually.ValueAsync($"all masks at {member}", () => ConfigTest.MasksAsync(member), seen => seen.Order().SequenceEqual(masks.Order()));
            }

            Assert.Equal("0", (await stage.Redis.CallAsync("EXISTS", Key)).Text);
            await stage.KillAsync(stage.Members[1]);
            await stage.Members[1].StartAgainAsync();
            await Eventually.ValueAsync("the masks at b", () => ConfigTest.MasksAsync(stage.Members[1]), seen => seen.Order().SequenceEqual(masks.Order()));

            await Task.WhenAll(stage.Members.Select(stage.KillAsync));
            await stage.Members[0].StartAgainAsync();
            await stage.HolderAsync();
            await ConfigTest.AllHaveAsync(stage, "^t:");
        });
    }

    private static async Task<string> KeptAsync(GroupStage stage) => (await stage.Redis.CallAsync("GET", Key)).Text;

    /// <summary>The version, which stands in front and in the text.</summary>
    [GeneratedRegex("""^[0-9]+|(?<="version":)[0-9]+""")]
    private static partial Regex Version();
}
