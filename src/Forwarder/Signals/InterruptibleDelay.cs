namespace KeyEvt.Forwarder.Signals;

/// <summary>How does one wait for a time that somebody may cut short? One waiter; a call that comes while nobody waits does nothing.</summary>
internal sealed class InterruptibleDelay
{
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
