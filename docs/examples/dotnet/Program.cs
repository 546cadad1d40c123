// Prints each event of KeyEvt once, although RabbitMQ may deliver it more than once.
//   dotnet run -- [amqp-url] [queue] [how many ids to remember]
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

var url = args.Length > 0 ? args[0] : "amqp://guest:guest@127.0.0.1:5672/";
var queue = args.Length > 1 ? args[1] : "events";
var handled = new RecentIds(args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 100_000);

await using var connection = await new ConnectionFactory { Uri = new Uri(url) }.CreateConnectionAsync();
await using var channel = await connection.CreateChannelAsync();
await channel.BasicQosAsync(prefetchSize: 0, prefetchCount: 100, global: false);

// A fault ends the program. RabbitMQ then delivers again what is not acknowledged.
var ended = new TaskCompletionSource();
var consumer = new AsyncEventingBasicConsumer(channel);
consumer.ReceivedAsync += async (_, delivery) =>
{
    try
    {
        var id = delivery.BasicProperties.MessageId ?? "";
        if (!handled.Contains(id))
        {
            Handle(delivery.Body.Span);
            handled.Add(id);
        }
        // Last: until here RabbitMQ keeps the message for us.
        await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
    }
    catch (Exception e)
    {
        ended.TrySetException(e);
    }
};
await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
await ended.Task;

// The body is database, event and key, one a line; the key is all the rest.
static void Handle(ReadOnlySpan<byte> body)
{
    var parts = Encoding.UTF8.GetString(body).Split('\n', 3);
    Console.WriteLine($"{parts[0]} {parts[1]} {parts[2]}");
}

/// <summary>Remembers the last ids, and forgets the oldest of them when there are too many.</summary>
internal sealed class RecentIds(int capacity)
{
    private readonly HashSet<string> _known = [];
    private readonly Queue<string> _oldestFirst = new();

    public bool Contains(string id) => _known.Contains(id);

    public void Add(string id)
    {
        _known.Add(id);
        _oldestFirst.Enqueue(id);
        if (_oldestFirst.Count > capacity)
            _known.Remove(_oldestFirst.Dequeue());
    }
}
