namespace KeyEvt.Forwarder.Group;

/// <summary>How far back could a member with a seat deliver, by its own mark?</summary>
/// <param name="Member">Who said it.</param>
/// <param name="Reach">All events behind it are in the member's ring.</param>
internal readonly record struct SeatMark(string Member, StreamPlace Reach);
