using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Events;

/// <summary>
/// What is one event on its way to the broker? A view of bytes that an <see cref="EventLog"/> owns, valid until the entry is settled. The bytes have
/// the stored form (<see cref="StoredForm"/>), which is also the form of an entry in the fallback storage (docs/architecture.md, "The stored form").
/// </summary>
/// <param name="Sequence">The entry's number in its log. It grows by one for each entry.</param>
/// <param name="Stored">The stored form; a plain body without id if an older program left it in the fallback storage.</param>
/// <param name="HeadLength">Number of bytes between the mark and the first line feed: the message id and what follows it. 0 for a plain body.</param>
/// <param name="UnixMilliseconds">When the feed read the event; 0 if that is not known.</param>
/// <param name="Attempts">How often the broker has refused it so far.</param>
internal readonly record struct LogEntry(long Sequence, ReadOnlyMemory<byte> Stored, int HeadLength, long UnixMilliseconds, int Attempts)
{
    public ReadOnlyMemory<byte> MessageId => HeadLength == 0 ? default : Stored.Slice(1, Head.IdLength);

    public ReadOnlyMemory<byte> Body => HeadLength == 0 ? Stored : Stored[(HeadLength + 2)..^Head.FieldsLength];

    /// <summary>The fields of the hash, see <see cref="FieldList"/>; empty if the server did not tell.</summary>
    public ReadOnlyMemory<byte> Fields => Stored[^Head.FieldsLength..];

    /// <summary>The event's class at the server that sent it; None if it is the one that the event's name says.</summary>
    public EventClass Class => Head.Class;

    private StoredForm.Head Head => HeadOf(Stored.Span, HeadLength);

    /// <summary>
    /// The length of the head in a stored form; 0 if it is a plain body. A head has 1 to 255 printable ASCII characters, the limit of AMQP for a
    /// message id.
    /// </summary>
    public static int HeadLengthOf(ReadOnlySpan<byte> stored)
    {
        if (stored.IsEmpty || stored[0] != StoredForm.IdMark) return 0;

        var end = stored.IndexOf((byte)'\n');
        return end <= 1 || end > 256 || stored[1..end].ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) ? 0 : end - 1;
    }

    /// <summary>The epoch in a stored form (see <see cref="StoredForm"/>); 0 if there is none.</summary>
    public static long EpochOf(ReadOnlySpan<byte> stored) => HeadOf(stored, HeadLengthOf(stored)).Epoch;

    private static StoredForm.Head HeadOf(ReadOnlySpan<byte> stored, int length) =>
        length == 0 ? default : StoredForm.ReadHead(stored.Slice(1, length), stored.Length - length - 2);
}
