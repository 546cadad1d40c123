using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>How long does a feed wait before it connects again?</summary>
/// <remarks>
/// A feed whose subscription held for a while connects again at once. Pauses grow with each attempt that brings no subscription, and with each
/// subscription that is cut off as soon as it is made.
/// </remarks>
internal sealed class ReconnectPause(NodeFeedOptions options)
{
    private readonly Backoff _backoff = new(options.FirstBackoff, options.LongestBackoff, options.Random);

    /// <param name="fault">Why the connection ended, or could not be opened.</param>
    /// <param name="lived">How long it was subscribed; null if it never was.</param>
    /// <param name="took">How long the attempt took in all.</param>
    /// <returns>The pause; zero or less to connect at once.</returns>
    public TimeSpan After(RedisFault fault, TimeSpan? lived, TimeSpan took)
    {
        if (lived >= options.ShortestLife)
        {
            _backoff.Reset();
            return TimeSpan.Zero;
        }

        var delay = _backoff.Next();
        if (fault.Kind == RedisFaultKind.Refused) return delay < options.RefusedBackoff ? options.RefusedBackoff : delay;
        return lived is null ? delay - took : delay; // the time that a failed attempt took counts as part of the pause
    }
}
