namespace KeyEvt.Forwarder.Signals;

/// <summary>When was it? The wall clock for people, and a monotonic timestamp for durations.</summary>
internal readonly record struct ClockReading(DateTimeOffset Wall, long Timestamp)
{
    public static ClockReading Now(TimeProvider time) => new(time.GetUtcNow(), time.GetTimestamp());

    /// <summary>The moment that was this much earlier.</summary>
    public ClockReading Before(TimeSpan span, TimeProvider time) => new(Wall - span, Timestamp - (long)(span.TotalSeconds * time.TimestampFrequency));

    public static ClockReading LaterOf(ClockReading one, ClockReading other) => one.Timestamp > other.Timestamp ? one : other;
}
