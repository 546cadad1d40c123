namespace KeyEvt.Servers.Oracle;

/// <summary>How long did a consumer hear nothing, at most, while something was broken? Thread safe.</summary>
public sealed class SilenceMeter
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private long _begun;
    private long _last;
    private TimeSpan _longest;
    private TimeSpan _ended;

    public SilenceMeter(TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        Begin();
    }

    /// <summary>The longest silence since Begin that is over, and how long after Begin it was over: a takeover took so long.</summary>
    public (TimeSpan Length, TimeSpan EndedAfter) Longest
    {
        get
        {
            lock (_gate) return (_longest, _ended);
        }
    }

    /// <summary>How long after Begin something was heard last.</summary>
    public TimeSpan Heard
    {
        get
        {
            lock (_gate) return _clock.GetElapsedTime(_begun, _last);
        }
    }

    /// <summary>How long ago Begin was.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate) return _clock.GetElapsedTime(_begun);
        }
    }

    /// <summary>Something is broken now. The silence that lasts already counts along.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _begun = _clock.GetTimestamp();
            _last = _last == 0 ? _begun : _last;
            (_longest, _ended) = (TimeSpan.Zero, TimeSpan.Zero);
        }
    }

    /// <summary>Something is heard.</summary>
    public void Ended()
    {
        lock (_gate)
        {
            var now = _clock.GetTimestamp();
            var length = _clock.GetElapsedTime(_last, now);
            if (length > _longest) (_longest, _ended) = (length, _clock.GetElapsedTime(_begun, now));

            _last = now;
        }
    }
}
