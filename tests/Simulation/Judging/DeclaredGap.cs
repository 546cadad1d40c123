using System.Text.Json;
using KeyEvt.Forwarder.Events;
using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Judging;

/// <summary>A span of time in which a consumer was told that events may be missing: ticks since the world began, both ends included.</summary>
internal sealed record DeclaredGap(string Cause, long From, long To)
{
    public bool Covers(long at) => at >= From && at <= To;

    /// <param name="slack">How wrong the clock of a program may be.</param>
    public static DeclaredGap Of(Gap gap, TimeSpan slack) =>
        new(gap.Cause.ToString(), (gap.From - MemberClock.Beginning).Ticks - slack.Ticks, ((gap.To ?? gap.From) - MemberClock.Beginning).Ticks + slack.Ticks);

    /// <param name="body">The message of <c>--gap-events</c>.</param>
    /// <param name="slack">How wrong the clock of a program may be.</param>
    public static DeclaredGap Read(string body, TimeSpan slack)
    {
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        return new DeclaredGap(root.GetProperty("cause").GetString()!, At("from") - slack.Ticks, At("to") + slack.Ticks);

        long At(string name) => (root.GetProperty(name).GetDateTimeOffset() - MemberClock.Beginning).Ticks;
    }
}
