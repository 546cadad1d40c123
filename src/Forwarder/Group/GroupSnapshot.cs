namespace KeyEvt.Forwarder.Group;

/// <summary>What is known of a group at one place of a stream? All members that know it know the same.</summary>
/// <param name="Marker">See <see cref="GroupState.Marker"/>.</param>
/// <param name="Claim">The claim in force.</param>
/// <param name="Holder">The member that delivers; null: it has resigned.</param>
/// <param name="Watermark">Everything up to here is settled.</param>
/// <param name="Marks">The last marks of members with a seat, the oldest first; <see cref="GroupState.MarksKept"/> at most.</param>
/// <param name="Pending">Questions for the state that are not answered yet, in the order of their ids.</param>
/// <param name="ConfigVersion">The version of the configuration in force.</param>
/// <param name="Origin">See <see cref="GroupState.Origin"/>.</param>
internal sealed record GroupSnapshot(
    long Marker, MessageId Claim, string? Holder, StreamPlace Watermark, IReadOnlyList<SeatMark> Marks, IReadOnlyList<MessageId> Pending, long ConfigVersion, MessageId Origin);
