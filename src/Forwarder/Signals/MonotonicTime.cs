namespace KeyEvt.Forwarder.Signals;

/// <summary>Spans on the clock that never jumps, in its own ticks (see <see cref="TimeProvider.TimestampFrequency"/>).</summary>
public static class MonotonicTime
{
    public static long ToTicks(this TimeProvider time, TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>The timestamp that is so far ahead of now.</summary>
    public static long TimestampAfter(this TimeProvider time, TimeSpan span) => time.GetTimestamp() + time.ToTicks(span);

    /// <summary>How long until a timestamp. Negative when it is past.</summary>
    public static TimeSpan TimeUntil(this TimeProvider time, long timestamp) => TimeSpan.FromSeconds((timestamp - time.GetTimestamp()) / (double)time.TimestampFrequency);
}
