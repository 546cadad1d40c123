using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// With which key is the queue of <c>--declare-queue</c> bound, so that it gets whatever the routing key becomes? A constant one with
/// itself. A template needs a topic exchange, where a word of the binding may stand for others: <c>*</c> for a word with <c>{db}</c> or
/// <c>{class}</c> in it, <c>#</c> for one with <c>{event}</c> or <c>{key}</c>, which may hold dots and so become several words
/// (modules name events such as <c>json.set</c>).
/// </summary>
public static class QueueBinding
{
    private const string Remedy = "use a topic exchange (--exchange amq.topic), a routing key without parts, or bind the queue yourself";

    /// <summary>Null, or why the queue that is asked for could never get the events; as far as that is known without asking the broker.</summary>
    public static string? Fault(ForwarderConfig config) =>
        config.DeclareQueue is not null && TypeByName(config.Exchange) is { } type ? Fault(config.Exchange, type, config.RoutingKey) : null;

    /// <summary>Null, or why a queue bound to an exchange of that type would not get what the routing key becomes.</summary>
    internal static string? Fault(string exchange, string type, string routingKey) =>
        !RoutingKeyParts.IsTemplate(routingKey) || type is "topic" or "fanout"
            ? null
            : $"the queue of --declare-queue cannot be bound to exchange '{exchange}', which is of type {type}, for all that routing key '{routingKey}' may become: {Remedy}";

    /// <summary>The binding key for a topic exchange; a fanout exchange does not look at it.</summary>
    internal static string KeyFor(string routingKey)
    {
        if (!RoutingKeyParts.IsTemplate(routingKey)) return routingKey;

        // A dot within a part is not there yet: the words of the template are cut at the dots of its literal text.
        var words = new List<string> { "" };
        foreach (var (part, text) in RoutingKeyParts.Split(routingKey))
        {
            if (part != RoutingKeyPart.Literal)
            {
                var wildcard = part is RoutingKeyPart.Key or RoutingKeyPart.Event || words[^1] == "#" ? "#" : "*";
                words[^1] = wildcard;
                continue;
            }

            var pieces = text.Split('.');
            if (words[^1] is not ("*" or "#")) words[^1] += pieces[0];

            words.AddRange(pieces[1..]);
        }

        return string.Join('.', words);
    }

    /// <summary>The type of the exchanges that every broker has; null for any other.</summary>
    internal static string? TypeByName(string exchange) => exchange switch
    {
        "" or "amq.direct" => "direct",
        "amq.topic" or "amq.rabbitmq.trace" => "topic",
        "amq.fanout" => "fanout",
        "amq.headers" or "amq.match" => "headers",
        _ => null,
    };
}
