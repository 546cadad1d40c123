namespace KeyEvt.Forwarder.Signals;

/// <summary>When was it? The wall clock for people, and a monotonic timestamp for durations.</summary>
internal readonly record struct ClockReading(DateTimeOffset Wall, long Timestamp)
{
    public static ClockReading Now(TimeProvider time) => new(time.GetUtcNow(), time.GetTimestamp());
}
