// Row B09: what happens when the virtual host is deleted, or the permissions are taken away?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B09_NoAccessTests(OwnBroker broker)
{
    private const string Secret = "secret-canary";

    [Fact]
    public async Task Events_are_stored_while_the_virtual_host_is_missing_and_arrive_when_it_is_back()
    {
        var rabbit = await broker.GetAsync();
        var host = $"v{Guid.NewGuid():N}";
        await AddHostAsync();
        await Stage.RunAsync(rabbit, BrokerFault.Setting() with { VirtualHost = host }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "before", 100);
            // Messages still in a queue are deleted together with the virtual host.
            await stage.Consumer.WaitForAsync(100);
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 100);
            stage.Consumer.Forget();
            await rabbit.CtlAsync("delete_vhost", host);

            await using var run = stage.StartRun();
            await stage.StoringAsync();
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains($"check that virtual host '{host}' exists and user 'guest' has permissions on it", StringComparison.Ordinal), BrokerFault.Recovery);
            await stage.AnnouncesSlowRetriesAsync();
            await AddHostAsync();
            await rabbit.Broker.As(virtualHost: host).DeclareAsync(stage.Queue, "amq.direct", stage.Queue);
            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
        });
        await rabbit.CtlAsync("delete_vhost", host);

        async Task AddHostAsync()
        {
            await rabbit.CtlAsync("add_vhost", host);
            await rabbit.CtlAsync("set_permissions", "-p", host, "guest", ".*", ".*", ".*");
        }
    }

    [Fact]
    public async Task Events_are_stored_while_the_user_has_no_permissions_and_arrive_when_it_has()
    {
        var rabbit = await broker.GetAsync();
        var user = await rabbit.AddUserAsync(Secret);
        await Stage.RunAsync(rabbit, BrokerFault.Setting() with { AmqpUrl = rabbit.UrlWith(user, Secret) }, async stage =>
        {
            await using var run = stage.StartRun();
            await run.MoreAsync(500);
            await rabbit.CtlAsync("clear_permissions", user);
            await rabbit.CloseConnectionsAsync();
            await stage.StoringAsync();
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains($"user '{user}' has permissions on it", StringComparison.Ordinal), BrokerFault.Recovery);
            await stage.AnnouncesSlowRetriesAsync();
            await rabbit.CtlAsync("set_permissions", user, ".*", ".*", ".*");
            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
            Assert.DoesNotContain(Secret, stage.Program.Process.AllText, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_user_that_may_connect_but_not_write_is_told_so()
    {
        var rabbit = await broker.GetAsync();
        var user = await rabbit.AddUserAsync(Secret, write: "^$");
        await Stage.RunAsync(rabbit, BrokerFault.Setting() with { AmqpUrl = rabbit.UrlWith(user, Secret) }, async stage =>
        {
            await using var run = stage.StartRun();
            await stage.StoringAsync();
            await stage.WaitForFieldAsync(
                "amqp.last_error",
                error => error.Contains("403", StringComparison.Ordinal) && error.Contains("grant the user write permission on the exchange", StringComparison.Ordinal),
                BrokerFault.Recovery);
            await stage.RetriesSlowlyAsync();
            await rabbit.CtlAsync("set_permissions", user, ".*", ".*", ".*");
            Assert.True((await stage.NothingIsLostAsync(run)).Recovered > 0);
        });
    }
}
