namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>
/// Which database, event and key does a body <c>&lt;db&gt;\n&lt;event&gt;\n&lt;key&gt;</c> name? The key is the rest, and may contain anything.
/// </summary>
internal readonly ref struct EventBody
{
    public ReadOnlySpan<byte> Database { get; private init; }

    public ReadOnlySpan<byte> Event { get; private init; }

    public ReadOnlySpan<byte> Key { get; private init; }

    /// <summary>A body of another form, left by another program, counts as a key without database and event.</summary>
    public static EventBody Parse(ReadOnlySpan<byte> body)
    {
        var first = body.IndexOf((byte)'\n');
        var second = first < 0 ? -1 : body[(first + 1)..].IndexOf((byte)'\n');
        return second < 0
            ? new EventBody { Key = body }
            : new EventBody { Database = body[..first], Event = body.Slice(first + 1, second), Key = body[(first + second + 2)..] };
    }
}
