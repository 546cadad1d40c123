using System.Runtime.CompilerServices;

namespace KeyEvt.Simulation.Clock;

/// <summary>
/// How does the driver of a world know that the programs have done everything that they can do at this moment? All of them, and the driver, run on the thread pool, which has
/// one worker here. So whatever one of them queues runs in one order, and never beside anything else. The driver goes to the end of the queue until nothing but itself is in it.
/// </summary>
internal static class PoolIdle
{
    /// <summary>Completes when nothing is queued any more.</summary>
    public static async ValueTask WaitAsync()
    {
        while (ThreadPool.PendingWorkItemCount > 0) await new BehindAll();
    }

    /// <exception cref="InvalidOperationException">The pool has more than one worker, so nothing would replay.</exception>
    public static void Demand()
    {
        ThreadPool.GetMaxThreads(out var workers, out _);
        if (workers != 1)
        {
            throw new InvalidOperationException($"the thread pool has {workers} workers instead of one: start the program with its own runtimeconfig.json");
        }

        if (!Thread.CurrentThread.IsThreadPoolThread) throw new InvalidOperationException("the driver does not run on the thread pool");
    }

    /// <summary>Awaiting it queues the rest of the method behind everything that is queued.</summary>
    private readonly struct BehindAll : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public BehindAll GetAwaiter() => this;

        public void GetResult()
        {
            // Nothing comes of it.
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
    }
}
