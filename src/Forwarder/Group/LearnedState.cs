namespace KeyEvt.Forwarder.Group;

/// <summary>From which message on does a member know the state by an answer, and which numbers do the messages from there on have?</summary>
/// <param name="From">
/// The index, among the messages heard since the subscription, of the question that was answered, or of a fresh claim that came into force behind it.
/// </param>
/// <param name="Markers">The number of that message, and of each message behind it, as <see cref="GroupState.Marker"/> counts them.</param>
internal sealed record LearnedState(long From, IReadOnlyList<long> Markers);
