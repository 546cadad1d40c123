// How much may a process use before it counts as stuck?
namespace KeyEvt.Mutation;

/// <summary>Bounds of a run. On a busy machine a sound run can take any time, so the clock on the wall is the last of them.</summary>
/// <param name="Processor">Processor time: a process that uses more runs in circles.</param>
/// <param name="Wall">Time on the wall, in case neither this nor <see cref="Idle"/> finds it.</param>
internal sealed record RunLimits(TimeSpan Processor, TimeSpan Wall)
{
    /// <summary>A process that uses next to no processor time for this long waits for something that does not come.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    /// <summary>As much is used by the runtime's own timers meanwhile.</summary>
    public static readonly TimeSpan NextToNothing = TimeSpan.FromMilliseconds(300);
}
