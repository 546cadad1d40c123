using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>How many gaps has a node had, and how long were they?</summary>
/// <param name="Total">Number of gaps, open ones included.</param>
/// <param name="Open">Number of gaps that have not ended.</param>
/// <param name="Ended">Total duration of the gaps that have ended.</param>
internal readonly record struct GapTotals(long Total, int Open, TimeSpan Ended)
{
    /// <summary>The totals with one more gap, which may have ended already.</summary>
    public GapTotals With(Gap gap) => new(Total + 1, Open + (gap.IsOpen ? 1 : 0), Ended + (gap.Duration ?? TimeSpan.Zero));

    /// <summary>The totals without an open gap that turned out to be none.</summary>
    public GapTotals Without(Gap open) => this with { Total = Total - 1, Open = Open - (open.IsOpen ? 1 : 0) };

    /// <summary>The totals after an open gap has ended.</summary>
    public GapTotals WithEnd(Gap gap) => this with { Open = Open - 1, Ended = Ended + (gap.Duration ?? TimeSpan.Zero) };
}
