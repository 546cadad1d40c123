using System.Globalization;

namespace KeyEvt.Forwarder.Amqp.Messages;

/// <summary>How is a moment written for other programs? As RFC 3339 in UTC, to the millisecond.</summary>
internal static class Rfc3339
{
    /// <param name="unixMilliseconds">What lies outside the years 1 to 9999 becomes their border: it may come from an id that somebody else made.</param>
    public static string Format(long unixMilliseconds)
    {
        var possible = Math.Clamp(unixMilliseconds, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
        return DateTimeOffset.FromUnixTimeMilliseconds(possible).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
    }
}
