namespace KeyEvt.Forwarder.Group;

/// <summary>Which message of the group is meant?</summary>
/// <param name="Member">Who sent it. Each run of a program is a member of its own.</param>
/// <param name="Number">The member's own number for it; it never gives one twice.</param>
internal readonly record struct MessageId(string Member, long Number) : IComparable<MessageId>
{
    public int CompareTo(MessageId other) => Number != other.Number ? Number.CompareTo(other.Number) : string.CompareOrdinal(Member, other.Member);
}
