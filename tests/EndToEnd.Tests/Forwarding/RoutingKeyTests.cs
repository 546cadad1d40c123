// Does each event go out with the routing key its template says, and does a declared queue get it?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using RabbitMQ.Client;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class RoutingKeyTests(SharedBroker broker)
{
    private static StageSetting Topic => new() { Exchange = "amq.topic", RoutingKey = "{q}.{db}.{event}", Binding = "{q}.#" };

    [Fact]
    public async Task On_a_topic_exchange_a_queue_gets_just_the_database_and_event_it_is_bound_to()
    {
        await Stage.RunAsync(await broker.GetAsync(), Topic with { Binding = "{q}.*.expire" }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendAsync("SET a 1\r\nEXPIRE a 100\r\nSELECT 4\r\nSET b 1\r\nEXPIRE b 100\r\n");
            await stage.Consumer.WaitForTextsAsync("0\nexpire\na", "4\nexpire\nb");
            Assert.Equal([$"{stage.Queue}.0.expire", $"{stage.Queue}.4.expire"], stage.Consumer.Received.Select(message => message.RoutingKey));
            await stage.WaitForNumberAsync("ledger.dropped_unroutable", unroutable => unroutable == 2);
        });
    }

    [Fact]
    public async Task A_template_given_while_running_is_used_from_the_next_event_on()
    {
        await Stage.RunAsync(await broker.GetAsync(), Topic, async stage =>
        {
            await stage.CallAsync("SET", "k.1", "1");
            await stage.Consumer.WaitForAsync(1);
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.format_set", "text", stage.Queue + ".{class}.{key}")).Text);
            await stage.CallAsync("HSET", "k.2", "f", "1");
            await stage.Consumer.WaitForAsync(2);
            Assert.Equal([$"{stage.Queue}.0.set", $"{stage.Queue}.hash.k.2"], stage.Consumer.Received.Select(message => message.RoutingKey));
        });
    }

    [Fact]
    public async Task A_routing_key_over_255_bytes_is_cut_at_a_character_and_said_once()
    {
        await Stage.RunAsync(await broker.GetAsync(), Topic with { RoutingKey = "{q}.{key}" }, async stage =>
        {
            var euros = string.Concat(Enumerable.Repeat("\u00e2\u0082\u00ac", 200)); // UTF-8 of the euro sign, 3 bytes each
            await stage.CallAsync("MSET", euros, "1", new string('b', 400), "1", "\u00ff\u00fe" + new string('\u00bf', 300), "1");
            await stage.Consumer.WaitForAsync(3);
            await stage.WaitForNumberAsync("amqp.routing_keys_cut", cut => cut == 3);

            var room = 255 - (stage.Queue.Length + 1);
            var received = stage.Consumer.Received;
            Assert.Equal($"{stage.Queue}.{new string('€', room / 3)}", received[0].RoutingKey);
            Assert.NotEqual(0, room % 3);
            Assert.Equal($"{stage.Queue}.{new string('b', room)}", received[1].RoutingKey);
            Assert.StartsWith(stage.Queue + ".", received[2].RoutingKey, StringComparison.Ordinal);
            Assert.Equal("0\nset\n" + euros, received[0].Text);
            var line = await stage.Program.Process.LineAsync("that it cut", text => text.Contains("were cut", StringComparison.Ordinal));
            Assert.DoesNotContain("bbbb", line, StringComparison.Ordinal);
            Assert.Single(stage.Program.Process.ErrorLines, text => text.Contains("were cut", StringComparison.Ordinal));
            Assert.Contains("keyevt_broker_routing_keys_cut_total 3", (await stage.Program.GetAsync("/metrics")).Body, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("amq.topic")]
    [InlineData("own topic")]
    [InlineData("amq.fanout")]
    public async Task A_queue_declared_for_a_template_gets_every_event(string exchange)
    {
        var rabbit = await broker.GetAsync();
        if (exchange == "own topic") await DeclareExchangeAsync(rabbit, exchange, ExchangeType.Topic);
        var setting = new StageSetting { Queue = false, Exchange = exchange, RoutingKey = "{q}.{db}.{event}.{key}", Options = ["--declare-queue", "{q}"] };
        await Stage.RunAsync(rabbit, setting, async stage =>
        {
            await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
            await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, stage.Queue);
            await stage.CallAsync("SET", "a.b..c", "1");
            await stage.CallAsync("SET", "", "1");
            await stage.CallAsync("DEL", "a.b..c");
            await Eventually.ValueAsync(
                "the three events", () => Task.FromResult(consumer.Received.Where(message => message.RoutingKey.StartsWith(stage.Queue, StringComparison.Ordinal)).Select(message => message.Text)),
                texts => texts.SequenceEqual(["0\nset\na.b..c", "0\nset\n", "0\ndel\na.b..c"]));
            Assert.Equal(0, await stage.NumberAsync("ledger.dropped_unroutable"));
        });
    }

    [Fact]
    public async Task On_a_direct_exchange_a_declared_queue_for_a_template_is_refused_at_start_with_the_remedy()
    {
        var result = await KeyEvtProcess.RunAsync(["run", "--routing-key", "redis.{db}", "--declare-queue", "q"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("amq.direct", result.Errors, StringComparison.Ordinal);
        Assert.Contains("--exchange amq.topic", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exchange_of_ones_own_that_is_direct_is_refused_at_connect_with_the_remedy_and_nothing_is_lost()
    {
        var rabbit = await broker.GetAsync();
        await DeclareExchangeAsync(rabbit, "own direct", ExchangeType.Direct);
        var setting = new StageSetting { Queue = false, Exchange = "own direct", RoutingKey = "{q}.{db}", Options = ["--declare-queue", "{q}"] };
        await Stage.RunAsync(rabbit, setting, async stage =>
        {
            await stage.WaitForFieldAsync("amqp.last_error", error => error.Contains("which is of type direct", StringComparison.Ordinal) && error.Contains("--exchange amq.topic", StringComparison.Ordinal));
            await stage.CallAsync("SET", "kept", "1");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1);
            Assert.StartsWith("-AMQP CONNECT ERROR: 5 ", (await stage.CallAsync("key_evt_amqp.connect")).ToString(), StringComparison.Ordinal);

            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.format_set", "text", stage.Queue)).Text);
            Assert.Equal("AMQP CONNECT OK", (await stage.CallAsync("key_evt_amqp.connect")).Text);
            await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, stage.Queue);
            await consumer.WaitForTextsAsync("0\nset\nkept");
        });
    }

    [Fact]
    public async Task A_template_that_a_declared_queue_could_not_get_is_refused_while_running_and_changes_nothing()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--declare-queue", "{q}"] }, async stage =>
        {
            var refused = await stage.CallAsync("key_evt_amqp.format_set", "json", "redis.{event}");
            Assert.StartsWith("-ERR ", refused.ToString(), StringComparison.Ordinal);
            Assert.Contains("amq.topic", refused.Text, StringComparison.Ordinal);
            Assert.Equal(stage.Queue, (await stage.CallAsync("key_evt_amqp.config_get", "routing_key")).Items[1].Text);
            Assert.Equal("text", (await stage.CallAsync("key_evt_amqp.config_get", "format")).Items[1].Text);
            await stage.CallAsync("SET", "still", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nstill");
        });
    }

    [Fact]
    public async Task Who_may_not_ask_for_the_type_of_an_exchange_is_told_what_the_queue_is_bound_with()
    {
        var rabbit = await broker.GetAsync();
        await DeclareExchangeAsync(rabbit, "topic of others", ExchangeType.Topic);
        var user = $"u{Guid.NewGuid():N}";
        await rabbit.CtlAsync("add_user", user, "secret");
        await rabbit.CtlAsync("set_permissions", user, "^q.*", ".*", ".*");
        await using var redis = await RedisServer.StartAsync();
        var queue = $"q{Guid.NewGuid():N}";
        await using var program = await KeyEvtProcess.StartAsync(
            ["--upstream", redis.Url, "--amqp", rabbit.UrlWith(user, "secret"), "--exchange", "topic of others", "--routing-key", "r.{event}", "--events", "A", "--keymask", "ALL", "--declare-queue", queue]);
        await program.Process.LineAsync("how it bound", line => line.Contains("is not told to this user", StringComparison.Ordinal) && line.Contains("'r.#'", StringComparison.Ordinal));
        await using var consumer = await EventConsumer.AttachAsync(rabbit.Broker, queue);
        await program.CallAsync("SET", "k", "1");
        await consumer.WaitForTextsAsync("0\nset\nk");
    }

    private static Task DeclareExchangeAsync(RabbitServer rabbit, string name, string type) => rabbit.Broker.UseAsync(async channel =>
    {
        // Not durable: what is asked for is durable, and only the type may count.
        await channel.ExchangeDeclareAsync(name, type, durable: false, autoDelete: false);
        return true;
    });
}
