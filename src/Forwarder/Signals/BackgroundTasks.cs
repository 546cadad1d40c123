using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// What becomes of a task that nobody awaits? It has a name here, its failure is logged, and info shows how many still run. A number that does not
/// come back to 0 shows that something hangs. Each task must have its own deadline.
/// </summary>
internal sealed class BackgroundTasks(ILogger logger)
{
    /// <summary>Changed with Interlocked by any thread; read with Volatile.Read.</summary>
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Follows a task whose failure is a bug.</summary>
    public void Run(string name, Task task) => Follow(name, task, isGivenUp: false);

    /// <summary>Follows the rest of something that was given up. The reason was reported then, so how it ends is logged for debugging only.</summary>
    public void GiveUp(string name, Task task) => Follow(name, task, isGivenUp: true);

    private void Follow(string name, Task task, bool isGivenUp)
    {
        Interlocked.Increment(ref _count);
        _ = task.ContinueWith(
            ended =>
            {
                if (ended.Exception?.GetBaseException() is { } failure) Tell(name, failure, isGivenUp);

                Interlocked.Decrement(ref _count);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void Tell(string name, Exception failure, bool isGivenUp)
    {
        if (isGivenUp) BackgroundLog.GivenUpFailed(logger, name, failure.Message);
        else BackgroundLog.BackgroundFailed(logger, name, failure);
    }
}
