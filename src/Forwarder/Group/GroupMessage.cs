namespace KeyEvt.Forwarder.Group;

/// <summary>
/// What do the members of a group say to each other in a node's stream? Each member hears all messages, its own included, in the same order and
/// between the same two events.
/// </summary>
/// <param name="Member">Who says it.</param>
/// <param name="Number">See <see cref="MessageId"/>. Made of the sender's clock, see <see cref="Feed.Context.MarkerSequence"/>.</param>
internal abstract record GroupMessage(string Member, long Number)
{
    public MessageId Id => new(Member, Number);

    /// <summary>I am here.</summary>
    /// <param name="Reach">All events behind it are in the member's ring; null: it has no seat, or does not know its place yet.</param>
    /// <param name="IsBrokerThere">Whether the member could deliver at this moment.</param>
    /// <param name="Holder">What only the holder says.</param>
    internal sealed record Mark(string Member, long Number, StreamPlace? Reach, bool IsBrokerThere, HolderMark? Holder) : GroupMessage(Member, Number);

    /// <summary>What the holder says in its marks.</summary>
    /// <param name="Claim">The claim by which it is the holder.</param>
    /// <param name="Watermark">Everything up to here is settled: confirmed, stored, or counted as dropped.</param>
    internal sealed record HolderMark(MessageId Claim, StreamPlace Watermark);

    /// <summary>I do not know the state of the group. Whoever knows it answers.</summary>
    internal sealed record Who(string Member, long Number) : GroupMessage(Member, Number);

    /// <summary>The answer to a <see cref="Who"/>.</summary>
    /// <param name="Asked">The question.</param>
    /// <param name="State">The state at the place of the question, with its effect.</param>
    internal sealed record StateOf(string Member, long Number, MessageId Asked, GroupSnapshot State) : GroupMessage(Member, Number);

    /// <summary>I want to be the holder from here on. Its id is the id of the message.</summary>
    /// <param name="Follows">The claim that it follows. If another one is in force at its place, it is void.</param>
    /// <param name="Reach">All events behind it are in the member's ring.</param>
    internal sealed record Claim(string Member, long Number, MessageId Follows, StreamPlace Reach) : GroupMessage(Member, Number);

    /// <summary>Nobody has answered my question, so the state begins anew with me as the holder.</summary>
    /// <param name="AskedNumber">The number of the member's own <see cref="Who"/>.</param>
    /// <param name="Kept">The watermark that an earlier holder has kept in Redis.</param>
    /// <param name="ConfigVersion">The version of the configuration that is kept in Redis.</param>
    internal sealed record FreshClaim(string Member, long Number, long AskedNumber, StreamPlace Kept, long ConfigVersion) : GroupMessage(Member, Number);

    /// <summary>I am no longer the holder from here on.</summary>
    /// <param name="Ended">The claim that ends. The message is void if another one is in force.</param>
    /// <param name="Watermark">See <see cref="HolderMark"/>.</param>
    internal sealed record Resign(string Member, long Number, MessageId Ended, StreamPlace Watermark) : GroupMessage(Member, Number);

    /// <summary>This version of the configuration is in force for all events behind the message.</summary>
    internal sealed record Config(string Member, long Number, long Version) : GroupMessage(Member, Number);
}
