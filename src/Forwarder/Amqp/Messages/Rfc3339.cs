using System.Globalization;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>How is a point in time written for other programs? As RFC 3339 in UTC, with milliseconds.</summary>
internal static class Rfc3339
{
    /// <param name="unixMilliseconds">A time outside the years 1 to 9999 is clamped: it may come from an id that another program made.</param>
    public static string Format(long unixMilliseconds)
    {
        var possible = Math.Clamp(unixMilliseconds, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
        return DateTimeOffset.FromUnixTimeMilliseconds(possible).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
    }
}
