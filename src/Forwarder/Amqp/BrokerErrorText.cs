using System.Net.Sockets;
using System.Security.Authentication;
using KeyEvt.Forwarder.Text;
using RabbitMQ.Client.Exceptions;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>What does an error of the broker mean, and what can be done about it? The broker's own text comes first, then the remedy if one is known.</summary>
internal static class BrokerErrorText
{
    /// <summary>The reason of connection.blocked, with a remedy for each resource. RabbitMQ names them, as in "low on memory &amp; disk".</summary>
    public static string Blocked(string reason)
    {
        reason = CleanText.Line(reason);
        var remedies = new List<string>(2);
        if (reason.Contains("memory", StringComparison.Ordinal))
        {
            remedies.Add("memory alarm: give the broker memory or raise vm_memory_high_watermark");
        }

        if (reason.Contains("disk", StringComparison.Ordinal)) remedies.Add("disk alarm: free its disk or lower disk_free_limit");

        return remedies.Count == 0 ? reason : $"{reason} ({string.Join("; ", remedies)})";
    }

    /// <summary>
    /// Whether an exception of the broker library is one that networks and brokers cause, and so is worth another attempt. Any other one (a null
    /// reference, an index out of range, a cast) is a bug in a program. Another attempt would only fail again, unnoticed.
    /// </summary>
    public static bool IsWeather(Exception error) =>
        error is RabbitMQClientException or LinkException or IOException or SocketException or AuthenticationException or TimeoutException or OperationCanceledException or InvalidOperationException;

    /// <summary>
    /// Why a publish failed. The library may throw at a publish before it raises the event that the channel was closed. The broker's reason is then
    /// in the exception, and is reported in the same way.
    /// </summary>
    public static LinkException PublishFailed(Exception? error)
    {
        if (error is not OperationInterruptedException { ShutdownReason: { } reason })
        {
            return new LinkException(LinkFailureKind.Connection, $"publishing failed: {error?.Message}", error);
        }

        // Codes 311, 403, 404, 405 and 406 close a channel; all others close a connection.
        return Closed(isChannel: reason.ReplyCode is 311 or (>= 403 and <= 406), reason.ReplyCode, reason.ReplyText, error);
    }

    /// <summary>The failure for a channel or connection that was closed while in use.</summary>
    public static LinkException Closed(bool isChannel, ushort code, string text, Exception? error = null)
    {
        var kind = !isChannel ? LinkFailureKind.Connection : IsTooLarge(code, text) ? LinkFailureKind.MessageTooLarge : LinkFailureKind.Channel;
        return new LinkException(kind, $"the broker closed the {(isChannel ? "channel" : "connection")}: {WithRemedy(code, text)}", error);
    }

    /// <summary>RabbitMQ: <c>PRECONDITION_FAILED - message size 300 is larger than configured max size 200</c>.</summary>
    private static bool IsTooLarge(ushort code, string text) => code == 406 && text.Contains("message size", StringComparison.Ordinal);

    /// <summary>Adds the remedy for the reply code (AMQP 0-9-1, section 1.2).</summary>
    private static string WithRemedy(ushort code, string text)
    {
        var remedy = code switch
        {
            403 => "grant the user write permission on the exchange",
            404 => "declare the exchange again, or name another with --exchange or config_set",
            406 when IsTooLarge(code, text) => "the event is dropped and counted; raise max_message_size in the broker",
            406 => "a message was against a rule of the broker",
            _ => null,
        };
        return remedy is null ? $"{code} {text}" : $"{code} {text}; {remedy}";
    }
}
