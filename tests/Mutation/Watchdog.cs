// Does a process still get anywhere?
namespace KeyEvt.Mutation;

/// <summary>Tells from the processor time of one process whether it is stuck.</summary>
internal sealed class Watchdog(RunLimits limits)
{
    private TimeSpan _processorThen;
    private TimeSpan _then;

    /// <param name="processor">The processor time used so far.</param>
    /// <param name="now">The time since the start.</param>
    public bool IsStuck(TimeSpan processor, TimeSpan now)
    {
        if (processor > limits.Processor || now > limits.Wall) return true;
        if (processor - _processorThen > RunLimits.NextToNothing) (_processorThen, _then) = (processor, now);
        return now - _then > RunLimits.Idle;
    }
}
