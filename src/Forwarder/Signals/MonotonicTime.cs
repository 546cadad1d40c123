namespace KeyEvt.Forwarder.Signals;

/// <summary>Time spans on the monotonic clock, in its own ticks (see <see cref="TimeProvider.TimestampFrequency"/>).</summary>
public static class MonotonicTime
{
    public static long ToTicks(this TimeProvider time, TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>The timestamp that lies this span ahead of now.</summary>
    public static long TimestampAfter(this TimeProvider time, TimeSpan span) => time.GetTimestamp() + time.ToTicks(span);

    /// <summary>The time until a timestamp; negative if it has passed.</summary>
    public static TimeSpan TimeUntil(this TimeProvider time, long timestamp) => TimeSpan.FromSeconds((timestamp - time.GetTimestamp()) / (double)time.TimestampFrequency);
}
