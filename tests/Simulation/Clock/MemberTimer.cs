namespace KeyEvt.Simulation.Clock;

/// <summary>A timer of one simulated program.</summary>
internal sealed class MemberTimer(MemberClock clock, TimerCallback callback, object? state) : ITimer
{
    /// <summary>Counts the settings: what an earlier one has put into the queue is stale.</summary>
    private int _setting;
    private TimeSpan _period;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _setting++;
        _period = period;
        if (dueTime != Timeout.InfiniteTimeSpan) clock.World.At(clock.World.Now + dueTime.Ticks, new Firing(this, _setting));
        return true;
    }

    public void Dispose()
    {
        _setting++;
        clock.Forget(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One time at which the timer is due.</summary>
    internal sealed record Firing(MemberTimer Timer, int Setting) : IDue
    {
        public void Happen() => Timer.Fire(this);
    }

    private void Fire(Firing firing)
    {
        if (firing.Setting != _setting || clock.IsDead) return;

        if (clock.IsFrozen)
        {
            clock.Miss(this, firing.Setting);
            return;
        }

        if (_period > TimeSpan.Zero) clock.World.At(clock.World.Now + _period.Ticks, firing);
        callback(state);
    }
}
