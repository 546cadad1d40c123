using KeyEvt.Forwarder.Events;

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
    internal sealed record Mark(string Member, long Number, StreamPlace? Reach, bool IsBrokerThere, HolderMark? Holder) : GroupMessage(Member, Number)
    {
        /// <summary>The classes of events that the member hears.</summary>
        public EventClass Classes { get; init; }
    }

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

    /// <summary>
    /// This version of the configuration is in force for all events behind the message, if it is a later one than that in force. Said again, it has no effect, and
    /// tells its content to those who lack it.
    /// </summary>
    /// <param name="Follows">It is in force only if this version is in force at its place; null: that does not matter, as Redis has compared before.</param>
    /// <param name="Text">The configuration, in a form without spaces. Empty: it is kept in Redis.</param>
    internal sealed record Config(string Member, long Number, long Version, long? Follows = null, string Text = "") : GroupMessage(Member, Number);

    /// <summary>Events of these classes will be wanted: everybody who listens to events subscribes to them, and says in a mark that it has.</summary>
    internal sealed record Prepare(string Member, long Number, EventClass Classes) : GroupMessage(Member, Number);

    /// <summary>I ask the holder for something. Who is the holder at the place of the question answers.</summary>
    internal sealed record Ask(string Member, long Number, Wish What) : GroupMessage(Member, Number);

    /// <summary>What is the holder asked for?</summary>
    internal enum Wish
    {
        /// <summary>To connect to the broker, and to say how that ended.</summary>
        Connect,

        /// <summary>To say the configuration again.</summary>
        Config,
    }

    /// <summary>The holder's answer to <see cref="Wish.Connect"/>.</summary>
    /// <param name="Asked">The question.</param>
    /// <param name="Code">See <see cref="Forwarder.Config.ConnectResult"/>.</param>
    internal sealed record Answer(string Member, long Number, MessageId Asked, int Code, string Reason) : GroupMessage(Member, Number);

    /// <summary>A message of a kind that this program does not know. A later program may say it. Like every message it is the base of positions.</summary>
    internal sealed record Other(string Member, long Number) : GroupMessage(Member, Number);
}
