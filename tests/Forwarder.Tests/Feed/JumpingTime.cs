using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Virtual time whose wall clock can be set wrong, while its timers and durations go on as they should.</summary>
internal sealed class JumpingTime : FakeTimeProvider
{
    public TimeSpan WallOffset { get; set; }

    /// <summary>For how long somebody has asked to be woken later, in order.</summary>
    public ConcurrentQueue<TimeSpan> Asked { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Asked.Enqueue(dueTime); // once it runs: who sees it here may advance the time
        return timer;
    }

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + WallOffset;
}
