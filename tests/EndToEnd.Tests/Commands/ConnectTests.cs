// When is the program connected to the broker, and what do connect and disconnect answer?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Commands;

[Trait("Against", "every-rabbitmq")]
public sealed class ConnectTests(SharedBroker broker)
{
    private const string Connected = "+AMQP CONNECT OK\\r\\n";

    [Fact]
    public async Task Nothing_is_connected_while_no_events_are_wanted()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { Masks = [], AmqpPort = relay.Port }, async stage =>
        {
            await stage.CallAsync("SET", "unwanted", "1");
            Assert.Equal(("idle", 0), ((await stage.InfoAsync())["amqp.state"], relay.Connections));
            await stage.CallAsync("key_evt_amqp.keymask_set", "^wanted$");
            await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
            await stage.CallAsync("SET", "wanted", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nwanted");
            Assert.Equal(1, relay.Connections);
        });
    }

    [Fact]
    public async Task Connect_connects_and_says_so_when_it_is_already()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Masks = [] }, async stage =>
        {
            Assert.Equal(Connected, (await stage.CallAsync("key_evt_amqp.connect")).ToString());
            Assert.Equal("connected", (await stage.InfoAsync())["amqp.state"]);
            Assert.StartsWith("-AMQP CONNECT ERROR: 6 ", (await stage.CallAsync("key_evt_amqp.connect")).ToString(), StringComparison.Ordinal);
            Assert.StartsWith("-AMQP CONNECT ERROR: 6 ", (await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{stage.Rabbit.Port}")).ToString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Connect_takes_the_parameters_and_uses_them_at_once()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting { AmqpPort = FreePorts.Take(), Masks = [], Options = ["--amqp-hosts", "*"] }, async stage =>
        {
            Assert.Equal(Connected, (await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{rabbit.Port}", "guest", "guest", "20", "amq.direct", stage.Queue, "2", "100", "^m:.*$")).ToString());
            await stage.CallAsync("MSET", "m:1", "x", "n:1", "x", "m:2", "x");
            await stage.Consumer.WaitForTextsAsync("0\nset\nm:1", "0\nset\nm:2");
            Assert.All(stage.Consumer.Received, message => Assert.Equal(2, message.DeliveryMode));
        });
    }

    [Fact]
    public async Task A_port_where_nothing_listens_is_a_socket_or_connection_error()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { AmqpPort = FreePorts.Take() }, async stage =>
            Assert.Matches("^-AMQP CONNECT ERROR: [23] .+", (await stage.CallAsync("key_evt_amqp.connect")).ToString()));
    }

    [Fact]
    public async Task A_wrong_password_is_an_authentication_error()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            var reply = await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{stage.Rabbit.Port}", "guest", "canary-wrong");
            Assert.StartsWith("-AMQP CONNECT ERROR: 4 ", reply.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("canary", reply.Text, StringComparison.Ordinal);
            Assert.Equal(Connected, (await stage.CallAsync("key_evt_amqp.connect", "127.0.0.1", $"{stage.Rabbit.Port}", "guest", "guest")).ToString());
        });
    }

    [Fact]
    public async Task A_broker_that_answers_nothing_is_an_error_within_a_deadline()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port) { Swallow = true };
        await Stage.RunAsync(rabbit, new StageSetting { AmqpPort = relay.Port }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendCommandAsync("key_evt_amqp.connect");
            Assert.Matches("^-AMQP CONNECT ERROR: [23] .+", (await client.ReadReplyAsync(TimeSpan.FromSeconds(30))).ToString());
            Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        });
    }

    [Fact]
    public async Task A_missing_virtual_host_is_an_error_of_the_connection()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting { VirtualHost = "nosuch", Queue = false }, async stage =>
            Assert.Matches("^-AMQP CONNECT ERROR: [345] .+", (await stage.CallAsync("key_evt_amqp.connect")).ToString()));
    }

    [Fact]
    public async Task After_disconnect_events_are_neither_sent_nor_stored_until_connect()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            await stage.CallAsync("SET", "before", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore");
            Assert.Equal("+AMQP DISCONNECT OK\\r\\n", (await stage.CallAsync("key_evt_amqp.disconnect")).ToString());
            Assert.Equal("stopped", (await stage.InfoAsync())["amqp.state"]);
            Assert.StartsWith("-AMQP DISCONNECT ERROR: 1 ", (await stage.CallAsync("key_evt_amqp.disconnect")).ToString(), StringComparison.Ordinal);

            await stage.CallAsync("SET", "meanwhile", "1");
            await stage.WaitForNumberAsync("ledger.dropped_disconnected", dropped => dropped == 1);
            Assert.Equal(0, await stage.FallbackLengthAsync());

            Assert.Equal(Connected, (await stage.CallAsync("key_evt_amqp.connect")).ToString());
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore", "0\nset\nafter");
        });
    }

    [Fact]
    public async Task A_changed_connection_parameter_reconnects_at_once()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { Options = ["--amqp-hosts", $"127.0.0.1:{relay.Port}"] }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", $"{relay.Port}", "guest", "guest")).ToString());
            await Eventually.ValueAsync("a connection by the new way", () => Task.FromResult(relay.Connections), connections => connections == 1);
            await stage.CallAsync("SET", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb");
        });
    }

    [Fact]
    public async Task A_changed_routing_key_needs_no_new_connection()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { AmqpPort = relay.Port }, async stage =>
        {
            await using var second = await EventConsumer.StartAsync(rabbit.Broker, stage.Queue + "-second");
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", $"{relay.Port}", "guest", "guest", "30", "amq.direct", second.Queue)).ToString());
            await stage.CallAsync("SET", "b", "1");
            await second.WaitForTextsAsync("0\nset\nb");
            Assert.Equal(1, stage.Consumer.Count);
            Assert.Equal(1, relay.Connections);
        });
    }

    [Fact]
    public async Task The_link_comes_back_by_itself()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { AmqpPort = relay.Port }, async stage =>
        {
            for (var n = 1; n <= 3; n++)
            {
                await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
                relay.Reset();
                await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
                await stage.CallAsync("SET", $"k{n}", "1");
                await Eventually.TrueAsync($"k{n}", () => stage.Consumer.Received.Any(message => message.Key == $"k{n}"));
            }
        });
    }

    [Fact]
    public async Task Declare_queue_connects_at_start_and_makes_the_queue()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false, Options = ["--declare-queue", "declared-by-test", "--delivery-mode", "2"] }, async stage =>
        {
            await stage.WaitForFieldAsync("amqp.state", state => state == "connected");
            await Eventually.ValueAsync("the queue", () => stage.Rabbit.Broker.CountAsync("declared-by-test"), count => count is not null);
            await stage.CallAsync("SET", "k", "v");
            await using var consumer = await EventConsumer.AttachAsync(stage.Rabbit.Broker, "declared-by-test");
            await consumer.WaitForTextsAsync("0\nset\nk");
        });
    }

    [Fact]
    public async Task Module_unload_stops_forwarding()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("MODULE", "UNLOAD", "key_evt_amqp")).ToString());
            await stage.CallAsync("SET", "b", "1");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync(
                "MODULE", "LOAD", "redis_keyspace_amqp.so", "$", "127.0.0.1", $"{stage.Rabbit.Port}", "guest", "guest", "20", "amq.direct", stage.Queue, "1", "100", "ALL")).ToString());
            await stage.CallAsync("SET", "c", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na", "0\nset\nc");
        });
    }

    [Fact]
    public async Task A_reset_goes_back_to_the_options_and_undoes_a_disconnect_but_leaves_a_link_that_fits()
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { Masks = ["^a$"], AmqpPort = relay.Port }, async stage =>
        {
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("key_evt_amqp.keymask_set", "^b$")).ToString());
            await stage.CallAsync("SET", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("key_evt_amqp.config_reset")).ToString());
            await stage.CallAsync("MSET", "b", "2", "a", "2");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb", "0\nset\na");
            Assert.Equal(1, relay.Connections);

            await stage.CallAsync("key_evt_amqp.disconnect");
            Assert.Equal("+OK\\r\\n", (await stage.CallAsync("key_evt_amqp.config_reset")).ToString());
            await stage.CallAsync("SET", "a", "3");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb", "0\nset\na", "0\nset\na");
        });
    }
}
