using KeyEvt.Proxy.Listen;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Can the upstream be reached, and what does the log say of clients that are refused because it cannot? Clients themselves are told nothing, so the reason is here: a warning when it begins
/// and when it changes, then at most every ten seconds; and when it is over. Thread safe.
/// </summary>
internal sealed class UpstreamReach(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private volatile bool _isAway;
    private long _refused;
    private string? _lastReason;
    private long _warnedAt;

    /// <summary>A session did not get there, and its client is refused.</summary>
    public void Failed(long session, string upstream, string reason)
    {
        ProxyLog.UpstreamUnreachable(logger, session, upstream, reason);
        long refused;
        lock (_gate)
        {
            refused = ++_refused;
            if (_isAway && reason == _lastReason && time.GetElapsedTime(_warnedAt) < WarnEvery) return;
            (_isAway, _lastReason, _warnedAt) = (true, reason, time.GetTimestamp());
        }

        ProxyLog.ClientsReset(logger, upstream, reason, refused);
    }

    /// <summary>A session is connected. Asked for each session, so nothing is locked while all is well.</summary>
    public void Reached(string upstream)
    {
        if (!_isAway) return;
        long refused;
        lock (_gate)
        {
            if (!_isAway) return;
            _isAway = false;
            (refused, _refused) = (_refused, 0);
        }

        ProxyLog.UpstreamReached(logger, upstream, refused);
    }
}
