using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Can the upstream be reached? Sessions tell; listeners ask, since they let nobody in while it refuses. Clients are told nothing, so the reason is in the log: a warning when it begins and
/// when it changes, then at most every ten seconds; and a line when it is over. An upstream that comes and goes is said at most every ten seconds too. Thread safe.
/// </summary>
internal sealed class UpstreamReachability(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private volatile bool _isAway;
    private CancellationTokenSource _refuses = new();
    private long _refused;
    private string? _lastReason;
    private long? _warnedAt;

    /// <summary>Of the time that it is away now.</summary>
    private bool _isSaid;

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
        SessionLog.UpstreamUnreachable(logger, session, upstream, reason);
        long refused;
        CancellationTokenSource refuses;
        bool isSaid;
        lock (_gate)
        {
            refused = ++_refused;
            refuses = _refuses;
            _isAway = true;
            isSaid = !IsToBeSaid(reason);
        }

        if (!isSaid) SessionLog.ClientsReset(logger, upstream, reason, refused);
        if (isRefused) refuses.Cancel(); // outside of the lock: who waits for it goes on in it
    }

    /// <summary>It was tried once more, and refuses: said if it was too early to say so before.</summary>
    public void StillAway(string upstream)
    {
        string reason;
        long refused;
        lock (_gate)
        {
            if (!_isAway || _isSaid || _lastReason is not { } last || !IsToBeSaid(last)) return;
            (reason, refused) = (last, _refused);
        }

        SessionLog.ClientsReset(logger, upstream, reason, refused);
    }

    /// <summary>Somebody is connected to it. Asked for each session, so nothing is locked while all is well.</summary>
    public void Reached(string upstream)
    {
        if (!_isAway) return;
        long refused;
        bool isSaid;
        lock (_gate)
        {
            if (!_isAway) return;
            (_isAway, isSaid, _isSaid) = (false, _isSaid, false);
            if (_refuses.IsCancellationRequested) _refuses = new CancellationTokenSource();
            (refused, _refused) = (_refused, 0);
        }

        if (isSaid) SessionLog.UpstreamReached(logger, upstream, refused);
    }

    /// <summary>Within the gate. True: it counts as said from now on.</summary>
    private bool IsToBeSaid(string reason)
    {
        var isEarly = _warnedAt is { } last && reason == _lastReason && time.GetElapsedTime(last) < WarnEvery;
        _lastReason = reason;
        if (isEarly) return false;
        (_warnedAt, _isSaid) = (time.GetTimestamp(), true);
        return true;
    }
}
