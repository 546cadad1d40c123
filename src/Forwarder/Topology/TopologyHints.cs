using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Topology;

/// <summary>
/// Has somebody noticed that the topology may be changing? A hint ends the current pause of <see cref="TopologyWatcher"/>, and shortens the next ones
/// for a while.
/// </summary>
/// <remarks>Any thread may add hints; one loop waits for them.</remarks>
internal sealed class TopologyHints(TimeProvider time) : IDisposable
{
    /// <summary>How long after a hint the pauses are short. A change of master takes several steps.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromSeconds(3);

    /// <summary>Released under <see cref="_gate"/>, so that its count never exceeds 1.</summary>
    private readonly SemaphoreSlim _hinted = new(0, 1);
    private readonly Lock _gate = new();

    /// <summary>A timestamp. Written by any thread with Volatile.Write; the last hint wins. Read by Volatile.Read.</summary>
    private long _recentUntil;

    /// <summary>Whether there was a hint a short time ago.</summary>
    public bool IsRecent => time.GetTimestamp() < Volatile.Read(ref _recentUntil);

    public void Add()
    {
        Volatile.Write(ref _recentUntil, time.TimestampAfter(Recent));
        lock (_gate)
        {
            if (_hinted.CurrentCount == 0) _hinted.Release();
        }
    }

    /// <summary>Returns as soon as there is a hint that no call has returned for yet, or after the pause.</summary>
    public async Task WaitAsync(TimeSpan pause, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var hinted = _hinted.WaitAsync(end.Token);
        await Task.WhenAny(hinted, Task.Delay(pause, time, end.Token)).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await hinted.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
    }

    public void Dispose() => _hinted.Dispose();
}
