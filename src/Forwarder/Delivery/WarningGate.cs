namespace KeyEvt.Forwarder.Delivery;

/// <summary>May this warning be given now? Each one at most once in an interval, however often its cause repeats.</summary>
internal sealed class WarningGate(TimeProvider time, TimeSpan interval)
{
    private readonly Dictionary<int, long> _last = [];

    public bool MayWarn(int eventId)
    {
        if (_last.TryGetValue(eventId, out var last) && time.GetElapsedTime(last) < interval)
            return false;

        _last[eventId] = time.GetTimestamp();
        return true;
    }
}
