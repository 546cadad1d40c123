namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// Is a sum to be said in the log now? Not each time it grows, and never while it stands still; when it has stopped growing, the last word said is the
/// present sum. Ask again and again.
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
