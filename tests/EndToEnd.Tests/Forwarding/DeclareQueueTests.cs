// Which queue comes to be by --declare-queue, and what if one of that name is there?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class DeclareQueueTests(SharedBroker broker)
{
    [Theory]
    [InlineData(null, "quorum")]
    [InlineData("quorum", "quorum")]
    [InlineData("classic", "classic")]
    [InlineData("stream", "stream")]
    public async Task A_new_queue_is_of_the_type_that_was_asked_for_else_quorum(string? asked, string type)
    {
        await Stage.RunAsync(await broker.GetAsync(), Setting(asked), async stage =>
        {
            await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
            Assert.Equal(type, await TypeAsync(stage));
            await stage.CallAsync("SET", "k", "v");
            await stage.WaitForNumberAsync("ledger.confirmed", confirmed => confirmed == 1);
        });
    }

    [Theory]
    [InlineData("x-queue-type", "classic")] // as an earlier version of ours has made it
    [InlineData("x-queue-type", "quorum")]
    [InlineData("x-message-ttl", 600_000)]
    public async Task A_queue_that_is_there_is_taken_as_it_is(string argument, object value)
    {
        var rabbit = await broker.GetAsync();
        var setting = Setting(null);
        var queue = $"q{Guid.NewGuid():N}";
        await rabbit.Broker.DeclareAsync(queue, "", "", new Dictionary<string, object?> { [argument] = value });
        await Stage.RunAsync(rabbit, setting with { RoutingKey = queue, Options = ["--declare-queue", queue] }, async stage =>
        {
            await stage.CallAsync("SET", "k", "v");
            await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, queue);
            await consumer.WaitForTextsAsync("0\nset\nk");
            var check = await KeyEvtProcess.RunAsync(["check", .. stage.Arguments()]);
            Assert.True(check.ExitCode == 0 && check.Output.Contains($"'{queue}' is there and taken as it is; it is bound", StringComparison.Ordinal), check.ToString());
        });
    }

    [Fact]
    public async Task A_queue_of_another_type_than_asked_for_is_told_alike_by_the_program_and_by_check()
    {
        var rabbit = await broker.GetAsync();
        var queue = $"q{Guid.NewGuid():N}";
        await rabbit.Broker.DeclareAsync(queue, "", "", null);
        await Stage.RunAsync(rabbit, new StageSetting { Queue = false, RoutingKey = queue, Options = ["--declare-queue", queue, "--declare-queue-type", "quorum"] }, async stage =>
        {
            const string Remedy = "start without that option to take the queue as it is";
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("inequivalent arg 'x-queue-type'", StringComparison.Ordinal) && error.Contains(Remedy, StringComparison.Ordinal));
            var check = await KeyEvtProcess.RunAsync(["check", .. stage.Arguments()]);
            Assert.True(check.ExitCode == 1 && check.Output.Contains("inequivalent arg 'x-queue-type'", StringComparison.Ordinal) && check.Output.Contains(Remedy, StringComparison.Ordinal), check.ToString());
            await stage.CallAsync("SET", "k", "v");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1);
        });
    }

    [Fact]
    public async Task Check_declares_and_binds_the_queue_as_the_program_would()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync();
        var queue = $"q{Guid.NewGuid():N}";
        string[] options = ["--upstream", redis.Url, "--amqp", rabbit.Url, "--routing-key", queue, "--declare-queue", queue, "--keymask", "ALL"];
        var check = await KeyEvtProcess.RunAsync(["check", .. options]);
        Assert.True(check.ExitCode == 0 && check.Output.Contains($"'{queue}' is declared, of type quorum; it is bound", StringComparison.Ordinal), check.ToString());
        Assert.Equal(0u, await rabbit.Broker.CountAsync(queue));
    }

    [Fact]
    public async Task A_user_that_may_not_configure_the_queue_is_told_so_by_the_program_and_by_check()
    {
        var rabbit = await broker.GetAsync();
        var user = $"u{Guid.NewGuid():N}";
        await rabbit.CtlAsync("add_user", user, "secret");
        await rabbit.CtlAsync("set_permissions", user, "", ".*", ".*");
        await Stage.RunAsync(rabbit, Setting(null) with { AmqpUrl = rabbit.UrlWith(user, "secret") }, async stage =>
        {
            const string Remedy = "grant the user configure and write on the queue and read on the exchange";
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains(Remedy, StringComparison.Ordinal));
            var check = await KeyEvtProcess.RunAsync(["check", .. stage.Arguments()]);
            Assert.True(check.ExitCode == 1 && check.Output.Contains(Remedy, StringComparison.Ordinal), check.ToString());
        });
    }

    private static StageSetting Setting(string? type) => new() { Queue = false, Options = ["--declare-queue", "{q}", .. type is null ? Array.Empty<string>() : ["--declare-queue-type", type]] };

    private static async Task<string> TypeAsync(Stage stage)
    {
        var list = await stage.Rabbit.CtlAsync("list_queues", "name", "type");
        var line = list.Split('\n').Single(line => line.StartsWith(stage.Queue + "\t", StringComparison.Ordinal));
        return line.Split('\t')[1].Trim().Replace("rabbit_", "", StringComparison.Ordinal).Replace("_queue", "", StringComparison.Ordinal);
    }
}
