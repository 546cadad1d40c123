using System.Diagnostics;

namespace KeyEvt.Servers;

/// <summary>For how long, at most, has the machine kept a thread from running that only wanted a moment? What a server measures as its own time may hold as much.</summary>
public sealed class StallWatch : IDisposable
{
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    private readonly Thread _thread;
    private readonly ManualResetEventSlim _over = new();
    private long _longest; // ticks of TimeSpan

    public StallWatch()
    {
        _thread = new Thread(Watch) { IsBackground = true };
        _thread.Start();
    }

    public TimeSpan Longest => new(Volatile.Read(ref _longest));

    /// <summary>The longest since this was called last. One that was measured in that moment may be told twice.</summary>
    public TimeSpan TakeLongest() => new(Interlocked.Exchange(ref _longest, 0));

    public void Dispose()
    {
        _over.Set();
        _thread.Join();
        _over.Dispose();
    }

    private void Watch()
    {
        var since = Stopwatch.GetTimestamp();
        while (!_over.Wait(Nap))
        {
            var stalled = Stopwatch.GetElapsedTime(since) - Nap;
            if (stalled.Ticks > Volatile.Read(ref _longest)) Volatile.Write(ref _longest, stalled.Ticks);
            since = Stopwatch.GetTimestamp();
        }
    }
}
