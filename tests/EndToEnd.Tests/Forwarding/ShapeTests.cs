// Is each shape of the message what was agreed, also when it changes while running?
using System.Text.Json;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class ShapeTests(SharedBroker broker)
{
    [Fact]
    public async Task Json_says_all_of_an_event()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--format", "json"] }, async stage =>
        {
            var before = DateTimeOffset.UtcNow.AddSeconds(-1);
            await using var client = await stage.ConnectAsync();
            await client.SendAsync("SELECT 3\r\n");
            await client.ReadReplyAsync();
            await client.CallAsync("SET", "gr\u00c3\u00bc\u00c3\u009fe \"x\"", "v"); // UTF-8 of grüße, one character a byte
            await client.CallAsync("SET", "\u00ff\u00fe\n", "v");
            await stage.Consumer.WaitForAsync(2);

            var (text, bytes) = (Json(stage.Consumer.Received[0]), Json(stage.Consumer.Received[1]));
            Assert.Equal(["db", "event", "key", "node", "time", "id"], text.EnumerateObject().Select(field => field.Name));
            Assert.Equal((3, "set", "grüße \"x\""), (text.GetProperty("db").GetInt32(), text.GetProperty("event").GetString(), text.GetProperty("key").GetString()));
            Assert.StartsWith(text.GetProperty("node").GetString(), (await stage.InfoAsync())["upstream.run_id"], StringComparison.Ordinal);
            Assert.InRange(text.GetProperty("time").GetDateTimeOffset(), before, DateTimeOffset.UtcNow.AddSeconds(1));
            Assert.Equal(stage.Consumer.Received[0].MessageId, text.GetProperty("id").GetString());
            Assert.Equal([0xFF, 0xFE, 0x0A], bytes.GetProperty("key_base64").GetBytesFromBase64());
            Assert.False(bytes.TryGetProperty("key", out _));
            Assert.All(stage.Consumer.Received, message => Assert.Equal("application/json", message.ContentType));
        });
    }

    [Fact]
    public async Task A_cloud_event_has_the_headers_of_knatives_binding()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--format", "cloudevents"] }, async stage =>
        {
            await stage.CallAsync("SET", "user:1", "v");
            await stage.CallAsync("SET", "two\nlines", "v");
            await stage.CallAsync("SET", new string('k', 300_000), "v"); // larger than a frame: not for a header
            await stage.Consumer.WaitForAsync(3);

            var received = stage.Consumer.Received;
            var headers = received[0].Headers;
            var node = (await stage.InfoAsync())["upstream.run_id"][..16];
            Assert.Equal(["ce-id", "ce-source", "ce-specversion", "ce-subject", "ce-time", "ce-type", "content-type"], headers.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(("1.0", $"/redis/{node}/0", "redis.keyspace.set", "user:1"), (headers["ce-specversion"], headers["ce-source"], headers["ce-type"], headers["ce-subject"]));
            Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$", (string)headers["ce-time"]!);
            Assert.All(received, message =>
            {
                Assert.Equal("application/json", message.ContentType);
                Assert.Equal(message.MessageId, message.Headers["ce-id"]);
            });
            Assert.Equal("""{"db":0,"event":"set","key":"user:1"}""", received[0].Text);
            Assert.All(received.Skip(1), message => Assert.False(message.Headers.ContainsKey("ce-subject")));
            Assert.Equal(300_000, Json(received[2]).GetProperty("key").GetString()!.Length);
        });
    }

    [Fact]
    public async Task The_shape_changes_while_it_runs()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            foreach (var shape in new[] { "json", "CloudEvents", "text" })
            {
                Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.format_set", shape)).Text);
                Assert.Equal(shape.ToLowerInvariant(), (await stage.CallAsync("key_evt_amqp.config_get", "format")).Items[1].Text);
                Assert.Equal(shape.ToLowerInvariant(), (await stage.InfoAsync())["amqp.format"]);
                var count = stage.Consumer.Count;
                await stage.CallAsync("SET", shape, "v");
                await stage.Consumer.WaitForAsync(count + 1);
            }

            var received = stage.Consumer.Received;
            Assert.Equal("json", Json(received[0]).GetProperty("key").GetString());
            Assert.Empty(received[0].Headers);
            Assert.Equal("CloudEvents", received[1].Headers["ce-subject"]);
            Assert.Equal(("0\nset\ntext", "text/plain"), (received[2].Text, received[2].ContentType));
            Assert.Empty(received[2].Headers);
        });
    }

    [Theory]
    [InlineData("json")]
    [InlineData("cloudevents")]
    public async Task An_event_that_was_stored_has_the_id_and_node_it_would_have_had(string shape)
    {
        var rabbit = await broker.GetAsync();
        await using var relay = new Relay(rabbit.Port);
        await Stage.RunAsync(rabbit, new StageSetting { AmqpPort = relay.Port, Options = ["--format", shape] }, async stage =>
        {
            relay.Cut();
            await stage.CallAsync("SET", "stored", "v");
            await stage.WaitForNumberAsync("ledger.waiting_fallback", waiting => waiting == 1);
            var stored = (await stage.Redis.CallAsync("LINDEX", Stage.FallbackKey, "0")).Text;
            relay.Accept();
            await stage.Consumer.WaitForAsync(1);

            var message = stage.Consumer.Received[0];
            var id = stored[1..stored.IndexOf('\n', StringComparison.Ordinal)];
            Assert.Equal(id, message.MessageId);
            Assert.Equal(id, shape == "json" ? Json(message).GetProperty("id").GetString() : message.Headers["ce-id"]);
            Assert.Contains(id.Split('-')[0], shape == "json" ? Json(message).GetProperty("node").GetString() : (string)message.Headers["ce-source"]!, StringComparison.Ordinal);
        });
    }

    private static JsonElement Json(ReceivedEvent message) => JsonDocument.Parse(message.Body).RootElement;
}
