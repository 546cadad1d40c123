namespace KeyEvt.Forwarder.Signals;

/// <summary>Who answers for what runs beside a feed's loops? Each task has a name, an end, and an owner who hears of what it did not expect.</summary>
/// <remarks>
/// A task gets a token that is cancelled after its time, or when the owner ends. It has to end then, and still do what it owes: declare as lost what it could
/// not find out about. An exception other than that cancellation is a fault in the program.
/// </remarks>
/// <param name="died">Told the task's name and its exception, once for each.</param>
internal sealed class SideTasks(TimeProvider time, Action<string, Exception> died)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    /// <summary>Begins a task on a thread of its own choice, so that who begins it may hold a lock. Any thread.</summary>
    /// <param name="name">What it is for, in a few words.</param>
    /// <param name="limit">How long it may take; infinite where it ends with something that has an end.</param>
    public void Run(string name, TimeSpan limit, Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            _running.RemoveAll(static task => task.IsCompleted);
            _running.Add(Task.Run(() => GuardAsync(name, limit, work)));
        }
    }

    /// <summary>Ends when all that run now have ended. Never faults.</summary>
    public Task SettledAsync()
    {
        lock (_gate) return Task.WhenAll([.. _running]);
    }

    /// <summary>Cancels all, and waits for them.</summary>
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
            // It had nothing to do at its end.
        }
        catch (Exception e)
        {
            died(name, e);
        }
    }
}
