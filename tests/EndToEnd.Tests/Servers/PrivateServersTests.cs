// Do the test servers themselves do what the tests rely on?
using KeyEvt.Servers;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Servers;

public sealed class PrivateServersTests
{
    [Fact]
    public async Task A_killed_redis_comes_back_on_its_port()
    {
        await using var redis = await RedisServer.StartAsync(["maxclients 100"], unixSocket: true);
        await redis.CallAsync("SET", "k", "v\0\n\xff");
        Assert.Equal("v\0\n\xff", (await redis.CallAsync("GET", "k")).Text);
        await redis.KillAsync();
        await redis.RestartAsync();
        Assert.True((await redis.CallAsync("GET", "k")).IsNull);
        Assert.Equal("PONG", await redis.Cli.RunAsync("PING"));
        await using var byPath = await RespClient.ConnectUnixAsync(redis.UnixSocket!);
        Assert.Equal("+PONG\\r\\n", (await byPath.CallAsync("PING")).ToString());
    }

    [Fact]
    public async Task A_frozen_redis_answers_only_after_the_thaw()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var client = await redis.ConnectAsync();
        redis.Freeze();
        await client.SendCommandAsync("PING");
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
        redis.Thaw();
        Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
    }

    [Fact]
    public async Task A_relay_pauses_resets_and_cuts()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var relay = new Relay(redis.Port);
        await using var client = await RespClient.ConnectAsync(relay.Port);
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        relay.Pause();
        await client.SendCommandAsync("PING");
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
        relay.Resume();
        Assert.Equal("PONG", (await client.ReadReplyAsync()).Text);
        relay.Reset();
        Assert.Empty(await client.ReadToEndAsync());
        relay.Cut();
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(() => RespClient.ConnectAsync(relay.Port));
        relay.Accept();
        await using var again = await RespClient.ConnectAsync(relay.Port);
        Assert.Equal("PONG", (await again.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task A_killed_rabbit_keeps_what_is_durable_and_the_consumer_goes_on()
    {
        await using var rabbit = await RabbitServer.StartAsync();
        await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, "q");
        await PublishAsync(rabbit, "0\nset\na");
        await consumer.WaitForTextsAsync("0\nset\na");
        await rabbit.SaveDeclarationsAsync();
        await rabbit.KillAsync();
        await rabbit.RestartAsync();
        await PublishAsync(rabbit, "0\nset\nb");
        await consumer.WaitForAsync(2, TimeSpan.FromSeconds(60));
        await consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb");
        Assert.Equal(("set", "b", 0), (consumer.Received[1].Event, consumer.Received[1].Key, consumer.Received[1].Database));
        Assert.Contains("q", await rabbit.CtlAsync("list_queues", "name"), StringComparison.Ordinal);
        await rabbit.StopAsync();
    }

    /// <summary>Until it is routed. A broker that has just started again may not have its bindings yet, and would confirm what it drops.</summary>
    private static Task PublishAsync(RabbitServer rabbit, string text) => Eventually.TrueAsync("the message is routed", async () =>
    {
        await using var connection = await rabbit.Broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), TestContext.Current.CancellationToken);
        try
        {
            await channel.BasicPublishAsync("amq.direct", "q", mandatory: true, System.Text.Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
            return true;
        }
        catch (PublishException)
        {
            return false;
        }
    });
}
