// Row B08: what happens when the password is changed under a running program?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B08_CredentialsTests(OwnBroker broker)
{
    private const string OldSecret = "old-secret-canary";
    private const string NewSecret = "new-secret-canary";

    [Fact]
    public async Task A_changed_password_is_told_without_any_password_and_the_new_one_is_taken_by_config_set()
    {
        var rabbit = await broker.GetAsync();
        var user = await rabbit.AddUserAsync(OldSecret);
        await Stage.RunAsync(rabbit, BrokerFault.Setting() with { AmqpUrl = rabbit.UrlWith(user, OldSecret) }, async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            await rabbit.CtlAsync("change_password", user, NewSecret);
            await rabbit.CloseConnectionsAsync();
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains($"refused user '{user}'; check user and password", StringComparison.Ordinal), BrokerFault.Recovery);
            await stage.StoringAsync();
            await stage.AnnouncesSlowRetriesAsync();

            var set = await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", rabbit.Port.ToString(CultureInfo.InvariantCulture), user, NewSecret);
            Assert.Equal("OK", set.Text);
            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
            await NoSecretIsToldAsync(stage);
        });
    }

    [Fact]
    public async Task A_user_that_does_not_exist_is_told_and_events_are_stored()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, BrokerFault.Setting() with { AmqpUrl = rabbit.UrlWith("nobody", OldSecret), Queue = false }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            var keys = await Changes.SetAsync(client, "k", 100);
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == keys.Length, BrokerFault.Recovery);
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("refused user 'nobody'", StringComparison.Ordinal), BrokerFault.Recovery);
            await NoSecretIsToldAsync(stage);
        });
    }

    private static async Task NoSecretIsToldAsync(Stage stage)
    {
        string[] told =
        [
            stage.Program.Process.AllText,
            (await stage.CallAsync("key_evt_amqp.info")).Text,
            (await stage.CallAsync("key_evt_amqp.config_get")).ToString(),
            (await stage.Program.GetAsync("/metrics")).Body,
            (await stage.Program.GetAsync("/readyz")).Body,
        ];
        Assert.All(told, text =>
        {
            Assert.DoesNotContain(OldSecret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(NewSecret, text, StringComparison.Ordinal);
        });
    }
}
