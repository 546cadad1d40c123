namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// How does a waiter learn that something has changed? Thread safe. Take <see cref="Next"/> first, then look, then await it. So no change is missed,
/// and several changes may complete one task.
/// </summary>
public sealed class ChangeSignal
{
    /// <summary>Exchanged with Interlocked; read with Volatile.Read.</summary>
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Completed by the next <see cref="Signal"/>.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Call after a change, when it can be seen.</summary>
    public void Signal() => Interlocked.Exchange(ref _next, NewSignal()).TrySetResult(); // the exchange ensures that each task is completed by exactly one call

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
