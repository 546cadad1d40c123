namespace KeyEvt.Forwarder.Signals;

/// <summary>May this warning be logged now? Each one at most once in an interval, however often its cause repeats. Thread safe.</summary>
public sealed class LogRateLimiter(TimeProvider time, TimeSpan interval)
{
    /// <summary>The last time and text of each event id. Also the lock that guards it.</summary>
    private readonly Dictionary<int, (long At, string? Text)> _last = [];

    public bool MayWarn(int eventId) => MayWarn(eventId, null);

    /// <param name="text">The text of the warning. If it differs from the last one, it may be logged at once.</param>
    public bool MayWarn(int eventId, string? text)
    {
        lock (_last)
        {
            if (_last.TryGetValue(eventId, out var last) && last.Text == text && time.GetElapsedTime(last.At) < interval) return false;

            _last[eventId] = (time.GetTimestamp(), text);
            return true;
        }
    }
}
