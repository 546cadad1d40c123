using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>How many gaps has a node had, and how long were they?</summary>
/// <param name="Total">All of them, open ones too.</param>
/// <param name="Open">Those that have not ended.</param>
/// <param name="Ended">How long those were that have ended, together.</param>
internal readonly record struct GapTotals(long Total, int Open, TimeSpan Ended)
{
    /// <summary>One more, which may have ended already.</summary>
    public GapTotals With(Gap gap) => new(Total + 1, Open + (gap.IsOpen ? 1 : 0), Ended + (gap.Duration ?? TimeSpan.Zero));

    /// <summary>One that was open has ended.</summary>
    public GapTotals WithEnd(Gap gap) => this with { Open = Open - 1, Ended = Ended + (gap.Duration ?? TimeSpan.Zero) };
}
