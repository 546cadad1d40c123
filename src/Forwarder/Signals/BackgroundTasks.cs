using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// Who looks after a task that nobody awaits? This does: it has a name, its failure is seen and said, and how many of them still run is shown in info: a number that does not come
/// back to 0 tells that something hangs. Each task has a deadline of its own.
/// </summary>
internal sealed class BackgroundTasks(ILogger logger)
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>A task whose failure is a fault in the program.</summary>
    public void Run(string name, Task task) => Follow(name, task, isGivenUp: false);

    /// <summary>What is left of something that was given up: why was said there, and how it ends is for debugging only.</summary>
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
