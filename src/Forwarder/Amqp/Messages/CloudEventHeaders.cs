using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// Which headers make a message a CloudEvent? CloudEvents 1.0 (github.com/cloudevents/spec), binary mode, with headers named <c>ce-*</c> as in
/// Knative's RabbitMQ binding (knative-extensions/eventing-rabbitmq, cloudevents-protocol-spec). Its receiver also reads the content type from a
/// header of that name, so the content type is both property and header. One dictionary is reused for all messages.
/// </summary>
internal sealed class CloudEventHeaders
{
    /// <summary>All headers must fit into one AMQP frame, which a broker may limit to 4,096 bytes. A longer key is only in the data.</summary>
    public const int MaxSubjectBytes = 1024;

    private const int MaxTypeBytes = 255;

    public Dictionary<string, object?> Headers { get; } = new()
    {
        ["ce-specversion"] = "1.0",
        ["content-type"] = "application/json",
    };

    public void Fill(EventBody body, string messageId, string node, long unixMilliseconds)
    {
        Headers["ce-id"] = messageId;
        Headers["ce-source"] = Source(node, body.Database);
        Headers["ce-type"] = Text(body.Event, MaxTypeBytes) is { } name ? "redis.keyspace." + name : "redis.keyspace";
        Headers["ce-time"] = Rfc3339.Format(unixMilliseconds);
        if (Text(body.Key, MaxSubjectBytes) is { } subject) Headers["ce-subject"] = subject;
        else Headers.Remove("ce-subject");
    }

    /// <summary>A URI-reference (RFC 3986). Neither the node's name nor the number contains a character that must be escaped.</summary>
    private static string Source(string node, ReadOnlySpan<byte> database) =>
        Utf8Parser.TryParse(database, out uint number, out var used) && used == database.Length
            ? string.Create(CultureInfo.InvariantCulture, $"/redis/{node}/{number}")
            : $"/redis/{node}";

    /// <summary>The text as a String of CloudEvents' type system; null if it is empty, too long, or holds a control character or a noncharacter.</summary>
    private static string? Text(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        if (utf8.IsEmpty || utf8.Length > maxBytes) return null;

        for (var rest = utf8; !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf8(rest, out var rune, out var used) != System.Buffers.OperationStatus.Done || Rune.IsControl(rune) || IsNoncharacter(rune.Value))
            {
                return null;
            }

            rest = rest[used..];
        }

        return Encoding.UTF8.GetString(utf8);
    }

    private static bool IsNoncharacter(int value) => (value & 0xFFFE) == 0xFFFE || value is >= 0xFDD0 and <= 0xFDEF;
}
