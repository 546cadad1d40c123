namespace KeyEvt.Forwarder.Signals;

/// <summary>Has a deadline passed? Timestamps of one monotonic clock, so a jump of the wall clock does not move them.</summary>
internal sealed class DeliveryClock(TimeProvider time)
{
    public long Now => time.GetTimestamp();

    public long After(TimeSpan span) => time.TimestampAfter(span);

    /// <summary>The time until the timestamp; negative if it has passed.</summary>
    public TimeSpan Until(long timestamp) => time.TimeUntil(timestamp);

    public bool IsPast(long timestamp) => Now >= timestamp;

    public bool IsPast(long since, TimeSpan span) => Now >= since + Ticks(span);

    public long Ticks(TimeSpan span) => time.ToTicks(span);
}
