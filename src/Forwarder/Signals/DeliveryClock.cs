namespace KeyEvt.Forwarder.Signals;

/// <summary>Is a deadline past? Timestamps of one monotonic clock, so that no jump of the wall clock moves them.</summary>
internal sealed class DeliveryClock(TimeProvider time)
{
    public long Now => time.GetTimestamp();

    public long After(TimeSpan span) => time.TimestampAfter(span);

    /// <summary>Negative when it is past.</summary>
    public TimeSpan Until(long timestamp) => time.TimeUntil(timestamp);

    public bool IsPast(long timestamp) => Now >= timestamp;

    public bool IsPast(long since, TimeSpan span) => Now >= since + Ticks(span);

    public long Ticks(TimeSpan span) => time.ToTicks(span);
}
