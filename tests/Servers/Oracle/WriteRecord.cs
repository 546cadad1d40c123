// What is known of one write of a fault run?
namespace KeyEvt.Servers.Oracle;

/// <summary>What is known of one write? Times are UTC ticks; 0: it did not happen.</summary>
internal struct WriteRecord
{
    public long SentAt;

    /// <summary>When its +OK was read. Redis did it between the two.</summary>
    public long AcknowledgedAt;

    /// <summary>Its own error reply was read: Redis did not do it.</summary>
    public bool IsRefused;

    public int Arrivals;

    /// <summary>The message id of the first arrival, hashed: a long run keeps millions of them.</summary>
    public ulong MessageId;

    public bool HasOtherId;

    /// <summary>Seen in the fallback list.</summary>
    public bool WasStored;
}
