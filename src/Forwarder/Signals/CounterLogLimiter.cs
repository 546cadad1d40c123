namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// Should a growing sum be logged now? Not each time it grows, and never while it stands still. When it has stopped growing, the last logged value is
/// the final sum. Ask repeatedly. Used by one loop.
/// </summary>
internal sealed class CounterLogLimiter(LogRateLimiter warnings, int eventId)
{
    private long _said;

    public bool IsToBeSaid(long sum)
    {
        if (sum == _said || !warnings.MayWarn(eventId)) return false;

        _said = sum;
        return true;
    }
}
