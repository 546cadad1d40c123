using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Metrics;

namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>How long did a confirmed event take? Told of each confirm by the delivery loop; the clocks are read once for all that one answer of the broker confirms. Allocates nothing.</summary>
internal sealed class ConfirmTimes(Meter meter, TimeProvider time)
{
    private static readonly MetricDefinition Age = new(
        MetricKind.Histogram, "keyevt.events.age", "s", "From the moment an event was read from Redis until the broker confirmed it. Time in the fallback storage counts. Measured with this machine's clock, to the millisecond.");

    private static readonly MetricDefinition Confirm = new(MetricKind.Histogram, "keyevt.broker.confirm.duration", "s", "From publishing a message until the broker confirmed it.");

    private readonly TimeProvider _time = time;
    private readonly Histogram<double> _ages = meter.CreateTimes(Age, MeterExtensions.LongTimes);
    private readonly Histogram<double> _confirms = meter.CreateTimes(Confirm, MeterExtensions.ShortTimes);
    private readonly double _secondsPerTick = 1.0 / time.TimestampFrequency;
    private long _now;
    private long _wallNow;

    public static IReadOnlyList<MetricDefinition> OfEvents { get; } = [Age];

    public static IReadOnlyList<MetricDefinition> OfBroker { get; } = [Confirm];

    /// <summary>An answer of the broker has come. What it confirms follows.</summary>
    public void Answered()
    {
        if (_ages.Enabled || _confirms.Enabled) (_now, _wallNow) = (_time.GetTimestamp(), _time.GetUtcNow().ToUnixTimeMilliseconds());
    }

    /// <param name="publishedAt">A timestamp of the same clock.</param>
    /// <param name="unixMilliseconds">When the event was read; 0: its message id may tell.</param>
    public void Confirmed(long publishedAt, long unixMilliseconds, ReadOnlySpan<byte> messageId)
    {
        if (_confirms.Enabled) _confirms.Record((_now - publishedAt) * _secondsPerTick);
        if (_ages.Enabled && TryTell(unixMilliseconds, messageId, out var readAt)) _ages.Record(Math.Max(0, _wallNow - readAt) / 1000.0);
    }

    /// <summary>Of an event out of the fallback storage the time is in its id. Of one that another program left there nobody knows it. A message about a gap was never read from Redis.</summary>
    private static bool TryTell(long unixMilliseconds, ReadOnlySpan<byte> messageId, out long readAt)
    {
        readAt = GapMessageId.Is(messageId) ? 0 : unixMilliseconds;
        if (readAt != 0) return true;
        if (!EventMessageId.TryReadMarker(messageId, out var marker)) return false;
        readAt = EventPosition.MarkerMilliseconds(marker);
        return true;
    }
}
