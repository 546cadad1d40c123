// What arrived at the broker's other side?
using System.Globalization;
using System.Text;
using RabbitMQ.Client.Events;

namespace KeyEvt.Servers;

/// <summary>One message as consumed. Text is Latin-1: one character a byte.</summary>
public sealed record ReceivedEvent(
    byte[] Body, string? MessageId, bool Redelivered, string? ContentType, int DeliveryMode, long Timestamp, string Exchange, string RoutingKey)
{
    /// <summary>The body is db, event and key, each of the first two ended by one line feed; the key is all the rest.</summary>
    public string Text => Encoding.Latin1.GetString(Body);

    public int Database => int.Parse(Text.Split('\n')[0], CultureInfo.InvariantCulture);

    public string Event => Text.Split('\n')[1];

    public string Key => Text.Split('\n', 3)[2];

    /// <summary>Texts as UTF-8; other values as the client library gives them.</summary>
    public IReadOnlyDictionary<string, object?> Headers { get; init; } = new Dictionary<string, object?>();

    public static ReceivedEvent Of(BasicDeliverEventArgs delivery)
    {
        var properties = delivery.BasicProperties;
        return new ReceivedEvent(
            delivery.Body.ToArray(), properties.MessageId, delivery.Redelivered, properties.ContentType, (int)properties.DeliveryMode,
            properties.Timestamp.UnixTime, delivery.Exchange, delivery.RoutingKey)
        {
            Headers = (properties.Headers ?? new Dictionary<string, object?>()).ToDictionary(
                header => header.Key, header => header.Value is byte[] text ? Encoding.UTF8.GetString(text) : header.Value),
        };
    }

    public override string ToString() => Text.Replace("\n", "\\n", StringComparison.Ordinal);
}
