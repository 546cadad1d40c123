// What would a user write? A subscription of StackExchange.Redis and one tracked publish for each event.
using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using StackExchange.Redis;

namespace KeyEvt.Bench.Load.Forward;

/// <summary>Runs as a process of its own: <c>load baseline &lt;redis host:port&gt; &lt;amqp&gt; &lt;routing key&gt;</c>; ends with its input.</summary>
internal static class BaselineWorker
{
    public static async Task RunAsync(string redis, string amqp, string routingKey)
    {
        await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(redis);
        var factory = new ConnectionFactory { Uri = new Uri(amqp) };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var confirmed = 0;
        var allocated = GC.GetTotalAllocatedBytes();
        var started = Stopwatch.GetTimestamp();
        await multiplexer.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("__keyevent@*__:*"), (source, key) => _ = PublishAsync(source, key));
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "count") Console.WriteLine(Volatile.Read(ref confirmed));
        }

        WorkerFigures.Print(confirmed, Stopwatch.GetElapsedTime(started), GC.GetTotalAllocatedBytes() - allocated);

        async Task PublishAsync(RedisChannel source, RedisValue key)
        {
            var name = source.ToString();
            var body = Encoding.UTF8.GetBytes($"0\n{name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..]}\n{key}");
            await channel.BasicPublishAsync("amq.direct", routingKey, mandatory: true, new BasicProperties { ContentType = "text/plain", MessageId = Guid.NewGuid().ToString() }, body);
            Interlocked.Increment(ref confirmed);
        }
    }
}
