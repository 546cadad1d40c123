using KeyEvt.Proxy.Listen;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Can the upstream be reached? Sessions tell; listeners ask, since they let nobody in while it refuses. Clients are told nothing, so the reason is in the log: a warning when it begins and
/// when it changes, then at most every ten seconds; and a line when it is over. Thread safe.
/// </summary>
internal sealed class UpstreamReach(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private volatile bool _isAway;
    private CancellationTokenSource _refuses = new();
    private long _refused;
    private string? _lastReason;
    private long _warnedAt;

    /// <summary>Cancelled when the upstream begins to refuse. Another one after each time that it was reached again.</summary>
    public CancellationToken Refuses
    {
        get
        {
            lock (_gate) return _refuses.Token;
        }
    }

    /// <summary>A session did not get there, and its client is reset.</summary>
    /// <param name="isRefused">It was told so; else nobody has answered.</param>
    public void Failed(long session, string upstream, string reason, bool isRefused)
    {
        ProxyLog.UpstreamUnreachable(logger, session, upstream, reason);
        long refused;
        CancellationTokenSource refuses;
        bool isSaid;
        lock (_gate)
        {
            refused = ++_refused;
            refuses = _refuses;
            isSaid = _isAway && reason == _lastReason && time.GetElapsedTime(_warnedAt) < WarnEvery;
            if (!isSaid) (_lastReason, _warnedAt) = (reason, time.GetTimestamp());
            _isAway = true;
        }

        if (!isSaid) ProxyLog.ClientsReset(logger, upstream, reason, refused);
        if (isRefused) refuses.Cancel(); // outside of the lock: who waits for it goes on in it
    }

    /// <summary>Somebody is connected to it. Asked for each session, so nothing is locked while all is well.</summary>
    public void Reached(string upstream)
    {
        if (!_isAway) return;
        long refused;
        lock (_gate)
        {
            if (!_isAway) return;
            _isAway = false;
            if (_refuses.IsCancellationRequested) _refuses = new CancellationTokenSource();
            (refused, _refused) = (_refused, 0);
        }

        ProxyLog.UpstreamReached(logger, upstream, refused);
    }
}
