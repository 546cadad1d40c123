using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>How long does a feed wait before it connects again?</summary>
/// <remarks>
/// A subscription that has lived for a while is made again at once. The pauses grow with each attempt that brings no subscription, and with each subscription that is cut
/// off as soon as it is made.
/// </remarks>
internal sealed class ReconnectPause(NodeFeedOptions options)
{
    private readonly Backoff _backoff = new(options.FirstBackoff, options.LongestBackoff, Random.Shared);

    /// <param name="fault">Why the connection ended, or did not come about.</param>
    /// <param name="lived">How long its subscription lived; null: there was none.</param>
    /// <param name="took">How long it all took.</param>
    /// <returns>Zero or less: connect at once.</returns>
    public TimeSpan After(RedisFault fault, TimeSpan? lived, TimeSpan took)
    {
        if (lived >= options.ShortestLife)
        {
            _backoff.Reset();
            return TimeSpan.Zero;
        }

        var delay = _backoff.Next();
        if (fault.Kind == RedisFaultKind.Refused) return delay < options.RefusedBackoff ? options.RefusedBackoff : delay;
        return lived is null ? delay - took : delay; // an attempt that nobody answered for long was a pause already
    }
}
