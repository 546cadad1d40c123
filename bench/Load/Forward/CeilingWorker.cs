// How fast can events be published at all? A bare publisher of the same messages with a window of unconfirmed ones, no Redis, no filter, no storage.
using System.Diagnostics;
using RabbitMQ.Client;

namespace KeyEvt.Bench.Load.Forward;

/// <summary>Runs as a process of its own: <c>load ceiling &lt;amqp&gt; &lt;routing key&gt; &lt;warm-up&gt; &lt;count&gt;</c>; prints its figures.</summary>
internal static class CeilingWorker
{
    private const int Window = 1024;

    public static async Task RunAsync(string amqp, string routingKey, int warmUp, int count)
    {
        var factory = new ConnectionFactory { Uri = new Uri(amqp), AutomaticRecoveryEnabled = false };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false));
        using var wake = new SemaphoreSlim(0);
        var confirmed = 0UL;
        channel.BasicAcksAsync += (_, ack) =>
        {
            confirmed = Math.Max(confirmed, ack.DeliveryTag);
            wake.Release();
            return Task.CompletedTask;
        };
        var exchange = new CachedString("amq.direct");
        var key = new CachedString(routingKey);
        var properties = new BasicProperties { ContentType = "text/plain", DeliveryMode = DeliveryModes.Transient, MessageId = "5147221de289b207-1882699031373000756-1" }; // an id of its own for each costs the broker nothing more
        var body = "0\nset\nkey:000000123456"u8.ToArray();
        var due = 0UL;
        await PublishAsync(warmUp); // warms up, as the other ways are
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        var allocated = GC.GetTotalAllocatedBytes();
        var started = Stopwatch.GetTimestamp();
        await PublishAsync(count);
        WorkerFigures.Print(count, Stopwatch.GetElapsedTime(started), GC.GetTotalAllocatedBytes() - allocated);

        async Task PublishAsync(int messages)
        {
            var sent = due;
            for (due += (ulong)messages; sent < due; sent++)
            {
                while (sent - Volatile.Read(ref confirmed) >= Window) await wake.WaitAsync();

                properties.Timestamp = new AmqpTimestamp(1_700_000_000 + ((long)sent / 1000)); // as the contract has it: a timestamp costs RabbitMQ 3.10 some 10 us a message
                await channel.BasicPublishAsync(exchange, key, mandatory: true, properties, body);
            }

            while (Volatile.Read(ref confirmed) < due) await wake.WaitAsync();
        }
    }
}
