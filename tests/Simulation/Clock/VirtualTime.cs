namespace KeyEvt.Simulation.Clock;

/// <summary>What happens next in a simulated world? One queue for everything, by virtual time, and at one time in the order in which it was asked for.</summary>
internal sealed class VirtualTime
{
    private readonly PriorityQueue<IDue, (long At, long Order)> _due = new();
    private long _order;

    /// <summary>Ticks of 100 ns since the world began.</summary>
    public long Now { get; private set; }

    /// <summary>How many things have happened so far.</summary>
    public long Happened { get; private set; }

    public void At(long when, IDue due) => _due.Enqueue(due, (Math.Max(when, Now), ++_order));

    public void After(TimeSpan span, Action happen) => At(Now + span.Ticks, new Once(happen));

    /// <summary>Lets the next thing happen, and moves the time to it.</summary>
    /// <returns>False if nothing is due before this time; then that is the time.</returns>
    public bool TryNext(long until)
    {
        if (!_due.TryPeek(out _, out var next) || next.At > until)
        {
            Now = until;
            return false;
        }

        Now = next.At;
        Happened++;
        _due.Dequeue().Happen();
        return true;
    }

    private sealed record Once(Action Act) : IDue
    {
        public void Happen() => Act();
    }
}
