namespace KeyEvt.Forwarder.Outbox;

/// <summary>
/// What is one event on its way out? A view of bytes that an <see cref="EventLog"/> owns; valid until the entry is settled.
/// Stored form: <c>\x01&lt;message id&gt;\n&lt;body&gt;</c>, the very bytes of an entry of the fallback storage (DESIGN section 6).
/// </summary>
/// <param name="Sequence">The entry's number in its log; grows by one an entry.</param>
/// <param name="Stored">The stored form; a plain body (no id) when an older program left it in the fallback storage.</param>
/// <param name="IdLength">Bytes of the message id; 0 for a plain body.</param>
/// <param name="UnixMilliseconds">When the feed read the event; 0 when not known.</param>
/// <param name="Attempts">How often the broker has refused it so far.</param>
internal readonly record struct LogEntry(long Sequence, ReadOnlyMemory<byte> Stored, int IdLength, long UnixMilliseconds, int Attempts)
{
    public const byte IdMark = 1;

    public ReadOnlyMemory<byte> MessageId => IdLength == 0 ? default : Stored.Slice(1, IdLength);

    public ReadOnlyMemory<byte> Body => IdLength == 0 ? Stored : Stored[(IdLength + 2)..];

    /// <summary>The length of the id in a stored form; 0 when it is a plain body: an id is 1 to 255 printable ASCII characters, as AMQP takes it.</summary>
    public static int IdLengthOf(ReadOnlySpan<byte> stored)
    {
        if (stored.IsEmpty || stored[0] != IdMark)
            return 0;

        var end = stored.IndexOf((byte)'\n');
        return end <= 1 || end > 256 || stored[1..end].ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) ? 0 : end - 1;
    }
}
