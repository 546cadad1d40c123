using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Can the upstream be reached? Sessions report, and listeners ask, since they let nobody in while the upstream refuses. Clients are told no reason, so it is
/// logged: a warning when it begins and when the reason changes, otherwise at most every ten seconds; and a line when the upstream is reached again. An
/// upstream that comes and goes is also logged at most every ten seconds. Thread safe: fields are guarded by the gate.
/// </summary>
internal sealed class UpstreamReachability(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();

    /// <summary>Written within the gate; <see cref="Reached"/> also reads it outside, to stay free of locks while all is well.</summary>
    private volatile bool _isAway;
    private CancellationTokenSource _refuses = new();
    private long _refused;
    private string? _lastReason;
    private long? _warnedAt;

    /// <summary>A warning was logged since the upstream went away.</summary>
    private bool _isSaid;

    /// <summary>Cancelled when the upstream begins to refuse. After the upstream was reached again this is a new token.</summary>
    public CancellationToken Refuses
    {
        get
        {
            lock (_gate) return _refuses.Token;
        }
    }

    /// <summary>A session could not connect, and its client is reset.</summary>
    /// <param name="isRefused">The upstream refused; false: nobody answered.</param>
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
        if (isRefused) refuses.Cancel(); // outside of the gate, since whatever waits for the token runs inside Cancel
    }

    /// <summary>A listener has tried the upstream again, and it still refuses. Logs the warning if it was too early for it before.</summary>
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

    /// <summary>A connection to the upstream was made. Called for each session, so it takes no lock while all is well.</summary>
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

    /// <summary>Whether a warning is due for this reason; true also counts it as logged. Called within the gate.</summary>
    private bool IsToBeSaid(string reason)
    {
        var isEarly = _warnedAt is { } last && reason == _lastReason && time.GetElapsedTime(last) < WarnEvery;
        _lastReason = reason;
        if (isEarly) return false;
        (_warnedAt, _isSaid) = (time.GetTimestamp(), true);
        return true;
    }
}
