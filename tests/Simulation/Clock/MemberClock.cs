namespace KeyEvt.Simulation.Clock;

/// <summary>
/// Which time does one simulated program have? All programs have the world's, but the wall clock of each may be wrong. While a program is frozen its timers wait, and fire
/// when it goes on; those of a dead one never fire again.
/// </summary>
internal sealed class MemberClock(VirtualTime time, TimeSpan wallError) : TimeProvider
{
    /// <summary>The wall clock when a world begins.</summary>
    public static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<(MemberTimer Timer, int Setting)> _missed = [];

    /// <summary>
    /// The timers that are not disposed of, also after the program's death. Otherwise the garbage collector would finalize a <see cref="PeriodicTimer"/> of a dead program at a
    /// moment of its own, and that ends the loop that waits for it.
    /// </summary>
    private readonly HashSet<MemberTimer> _timers = [];
    private bool _isFrozen;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public VirtualTime World => time;

    public bool IsDead { get; set; }

    public bool IsFrozen
    {
        get => _isFrozen;
        set
        {
            _isFrozen = value;
            if (value) return;

            foreach (var (timer, setting) in _missed) time.At(time.Now, new MemberTimer.Firing(timer, setting));
            _missed.Clear();
        }
    }

    /// <summary>Whether the program's code runs.</summary>
    public bool Runs => !IsDead && !IsFrozen;

    public override DateTimeOffset GetUtcNow() => Beginning + TimeSpan.FromTicks(time.Now) + wallError;

    /// <summary>Never 0, as that of a machine that has been running for a while.</summary>
    public override long GetTimestamp() => TimeSpan.TicksPerHour + time.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new MemberTimer(this, callback, state);
        _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Forget(MemberTimer timer) => _timers.Remove(timer);

    /// <summary>A timer is due while the program is frozen.</summary>
    public void Miss(MemberTimer timer, int setting) => _missed.Add((timer, setting));
}
