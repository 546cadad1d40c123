namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// Who is responsible for tasks that run beside a feed's loops? Each task has a name and a time limit, and its owner is told when it fails
/// unexpectedly.
/// </summary>
/// <remarks>
/// A task gets a token that is cancelled after its time limit, or when the owner ends. It must end then, but may still finish its duties: declare as
/// lost what it could not find out. Any exception other than that cancellation is a bug.
/// </remarks>
/// <param name="died">Called once for each task that failed, with its name and its exception.</param>
internal sealed class SideTasks(TimeProvider time, Action<string, Exception> died)
{
    /// <summary>Guards <see cref="_running"/>.</summary>
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    /// <summary>Starts a task on the thread pool, so the caller may hold a lock. Any thread.</summary>
    /// <param name="name">The purpose in a few words.</param>
    /// <param name="limit">How long it may take; infinite if it ends together with something else.</param>
    public void Run(string name, TimeSpan limit, Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            _running.RemoveAll(static task => task.IsCompleted);
            _running.Add(Task.Run(() => GuardAsync(name, limit, work)));
        }
    }

    /// <summary>Completes when all tasks that run now have ended. Never faults.</summary>
    public Task SettledAsync()
    {
        lock (_gate) return Task.WhenAll([.. _running]);
    }

    /// <summary>Cancels all tasks, and waits until they have ended.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await SettledAsync().ConfigureAwait(false);
    }

    private async Task GuardAsync(string name, TimeSpan limit, Func<CancellationToken, Task> work)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stop.Token);
        try
        {
            await work(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The task was cancelled and had nothing left to do.
        }
        catch (Exception e)
        {
            died(name, e);
        }
    }
}
