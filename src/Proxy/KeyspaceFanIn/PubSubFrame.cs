using KeyEvt.Resp;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What is one whole frame on a subscribed connection?
/// <code>
/// (SUBSCRIBE / PSUBSCRIBE) name count      a confirmation; count is an integer
/// MESSAGE channel payload  /  PMESSAGE pattern channel payload
/// PONG text
/// </code>
/// as an array in RESP2, as a push in RESP3. See https://redis.io/docs/latest/develop/pubsub/.
/// </summary>
/// <param name="kind">The kind of the frame.</param>
/// <param name="name">The channel or pattern; for a pong, its text.</param>
internal readonly ref struct PubSubFrame(PubSubKind kind, ReadOnlySpan<byte> name)
{
    public PubSubKind Kind { get; } = kind;

    public ReadOnlySpan<byte> Name { get; } = name;

    /// <summary>Whether the frame concerns a pattern.</summary>
    public bool IsPattern => Kind is PubSubKind.PatternConfirmation or PubSubKind.PatternMessage;

    public bool IsConfirmation => Kind is PubSubKind.Confirmation or PubSubKind.PatternConfirmation;

    public bool IsMessage => Kind is PubSubKind.Message or PubSubKind.PatternMessage;

    public static PubSubFrame Read(ReadOnlySpan<byte> frame)
    {
        var reader = new RespReplyReader(frame);
        if (reader.Kind is not (RespKind.Array or RespKind.Push)) return default;
        var count = reader.ReadArrayHeader();
        if (count is < 2 or > 4 || reader.Kind != RespKind.Bulk) return default;
        var word = reader.ReadBulk();
        if (reader.Kind != RespKind.Bulk) return default;
        var name = reader.ReadBulk();
        var kind = count switch
        {
            2 when word.SequenceEqual("pong"u8) => PubSubKind.Pong,
            3 when word.SequenceEqual("message"u8) => PubSubKind.Message,
            4 when word.SequenceEqual("pmessage"u8) => PubSubKind.PatternMessage,
            3 when reader.Kind != RespKind.Integer => PubSubKind.Other,
            3 when word.SequenceEqual("subscribe"u8) => PubSubKind.Confirmation,
            3 when word.SequenceEqual("psubscribe"u8) => PubSubKind.PatternConfirmation,
            _ => PubSubKind.Other,
        };
        return new PubSubFrame(kind, name);
    }
}

internal enum PubSubKind
{
    Other,
    Confirmation,
    PatternConfirmation,
    Message,
    PatternMessage,
    Pong,
}
