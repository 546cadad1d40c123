namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// How does a loop wait for a time that another thread may cut short? One waiter. A call of <see cref="Set"/> while nobody waits does nothing.
/// </summary>
internal sealed class InterruptibleDelay
{
    /// <summary>Written by the waiter; read by any thread that calls <see cref="Set"/>. Null while nobody waits.</summary>
    private volatile TaskCompletionSource? _waiting;

    public void Set() => _waiting?.TrySetResult();

    public async Task WaitAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellation)
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting = waiting;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(waiting.Task, Task.Delay(time, clock, end.Token)).ConfigureAwait(false);
        _waiting = null;
        await end.CancelAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
    }
}
