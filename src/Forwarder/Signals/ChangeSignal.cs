namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// How does one who waits learn that something has changed? Thread safe: take <see cref="Next"/>, then look, then await it; so no change is missed, however many
/// are told at once.
/// </summary>
public sealed class ChangeSignal
{
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Completed by the next <see cref="Signal"/>.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Something has changed, and can be seen.</summary>
    public void Signal() => Interlocked.Exchange(ref _next, NewSignal()).TrySetResult(); // each that was ever given out is taken out by exactly one

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
