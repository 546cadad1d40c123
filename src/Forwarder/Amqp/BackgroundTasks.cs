namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// What is still running in the background, given up and not awaited? A number that does not come back to 0 tells that something
/// hangs; it is shown in info.
/// </summary>
internal sealed class BackgroundTasks
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Run(Task task)
    {
        Interlocked.Increment(ref _count);
        _ = task.ContinueWith(
            static (t, s) =>
            {
                _ = t.Exception; // given up: its failure was reported where it was given up
                Interlocked.Decrement(ref ((BackgroundTasks)s!)._count);
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}
