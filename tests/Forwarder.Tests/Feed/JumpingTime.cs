using Microsoft.Extensions.Time.Testing;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Virtual time whose wall clock can be set wrong, while its timers and durations go on as they should.</summary>
internal sealed class JumpingTime : FakeTimeProvider
{
    public TimeSpan WallOffset { get; set; }

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + WallOffset;
}
