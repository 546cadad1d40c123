namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>Which parts of a routing key stand for something of the event?</summary>
internal enum RoutingKeyPart
{
    Literal,
    Database,
    Event,
    Class,
    Key,
}

/// <summary>How is the text of a routing key split into parts?</summary>
internal static class RoutingKeyParts
{
    /// <summary>Splits at braces. Text in braces that names no known part stays literal, with its braces.</summary>
    public static IEnumerable<(RoutingKeyPart Part, string Text)> Split(string template)
    {
        var at = 0;
        while (at < template.Length)
        {
            var open = template.IndexOf('{', at);
            var close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0)
            {
                yield return (RoutingKeyPart.Literal, template[at..]);
                yield break;
            }

            if (open > at) yield return (RoutingKeyPart.Literal, template[at..open]);

            var text = template[open..(close + 1)];
            yield return (Of(text), text);
            at = close + 1;
        }
    }

    /// <summary>Whether the text contains a part that stands for something of the event.</summary>
    public static bool IsTemplate(string text) => Split(text).Any(static p => p.Part != RoutingKeyPart.Literal);

    /// <summary>The literal text only, without dots that have nothing between them.</summary>
    public static string WithoutParts(string template)
    {
        var rest = string.Concat(Split(template).Where(static p => p.Part == RoutingKeyPart.Literal).Select(static p => p.Text));
        return string.Join('.', rest.Split('.', StringSplitOptions.RemoveEmptyEntries));
    }

    private static RoutingKeyPart Of(string text) => text switch
    {
        "{db}" => RoutingKeyPart.Database,
        "{event}" => RoutingKeyPart.Event,
        "{class}" => RoutingKeyPart.Class,
        "{key}" => RoutingKeyPart.Key,
        _ => RoutingKeyPart.Literal,
    };
}
