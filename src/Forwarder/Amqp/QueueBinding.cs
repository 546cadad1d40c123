using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// With which binding key does the queue of <c>--declare-queue</c> get every event? A constant routing key is its own binding key. A template needs a
/// topic exchange, where a word of the binding key may be a wildcard. <c>*</c> replaces a word that contains <c>{db}</c> or <c>{class}</c>. <c>#</c>
/// replaces a word that contains <c>{event}</c> or <c>{key}</c>: they may hold dots and so become several words
/// (modules name events such as <c>json.set</c>).
/// </summary>
public static class QueueBinding
{
    private const string Remedy = "use a topic exchange (--exchange amq.topic), a routing key without parts, or bind the queue yourself";

    /// <summary>Null, or why the configured queue could never get the events, as far as this is known without asking the broker.</summary>
    public static string? Fault(ForwarderConfig config) =>
        config.DeclareQueue is not null && TypeByName(config.Exchange) is { } type ? Fault(config.Exchange, type, config.RoutingKey) : null;

    /// <summary>Null, or why a queue that is bound to an exchange of this type would miss some of the routing keys.</summary>
    internal static string? Fault(string exchange, string type, string routingKey) =>
        !RoutingKeyParts.IsTemplate(routingKey) || type is "topic" or "fanout"
            ? null
            : $"the queue of --declare-queue cannot be bound to exchange '{exchange}', which is of type {type}, for all that routing key '{routingKey}' may become: {Remedy}";

    /// <summary>The binding key for a topic exchange. A fanout exchange ignores it.</summary>
    internal static string KeyFor(string routingKey)
    {
        if (!RoutingKeyParts.IsTemplate(routingKey)) return routingKey;

        // Only dots in the literal text separate words here: the dots inside a part's value are not known yet.
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

    /// <summary>The type of an exchange that exists on every broker; null for any other exchange.</summary>
    internal static string? TypeByName(string exchange) => exchange switch
    {
        "" or "amq.direct" => "direct",
        "amq.topic" or "amq.rabbitmq.trace" => "topic",
        "amq.fanout" => "fanout",
        "amq.headers" or "amq.match" => "headers",
        _ => null,
    };
}
