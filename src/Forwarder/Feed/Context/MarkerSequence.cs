using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>
/// Which number does the next marker get, and which of them are due to come back? A marker is any message of this program to its group. One instance for each feed, so no number is used twice.
/// </summary>
/// <remarks>
/// A number is the wall clock (milliseconds, times 2^20) with a random number of this instance in its low bits. If the clock stands still or goes
/// back, or is behind that of another member of the group, the next free millisecond is taken instead. So a later run of the program begins above all numbers of an earlier one on the same node, and no two
/// events share a position. A message id also tells, to within a marker's interval, when its event was read. Thread safe: the timer sends markers,
/// and the read loop receives them.
/// </remarks>
internal sealed class MarkerSequence
{
    private const int Shift = 20;

    private readonly Lock _gate = new();
    private readonly Queue<(long Number, ClockReading SentAt)> _due = new();
    private readonly TimeProvider _time;
    private readonly long _drawn;
    private long _last;

    /// <param name="name">For people who look at the channel. Two programs may have the same name. May be empty.</param>
    /// <param name="nonce">16 hexadecimal digits; null: random ones. All feeds of a program have the same, as they are one member of its group.</param>
    /// <param name="random">Draws what tells this feed from all others; null: that of the system.</param>
    public MarkerSequence(TimeProvider time, string name = "", string? nonce = null, Random? random = null)
    {
        random ??= Random.Shared;
        _drawn = random.Next(1 << Shift);
        nonce ??= random.GetHexString(16, lowercase: true);
        Instance = name.Length == 0 ? nonce : $"{name}-{nonce}";
        _time = time;
    }

    /// <summary>The name of this member. It tells this program's markers from those of others on the same channel.</summary>
    public string Instance { get; }

    /// <summary>A number that is not sent. For a position in the stream that is known in another way.</summary>
    public long Reserve()
    {
        lock (_gate) return Advance();
    }

    public long Next(ClockReading now)
    {
        lock (_gate)
        {
            _due.Enqueue((Advance(), now));
            return _last;
        }
    }

    /// <summary>
    /// Called when a marker came back, or when the answer to its command means that it will not. Earlier markers that did not come back are no longer
    /// due either.
    /// </summary>
    /// <returns>False if it is not due.</returns>
    public bool TrySettle(long number, out ClockReading sentAt)
    {
        lock (_gate)
        {
            sentAt = default;
            var isDue = false;
            foreach (var due in _due) isDue |= due.Number == number;
            while (isDue && _due.TryPeek(out var oldest) && oldest.Number <= number) sentAt = _due.Dequeue().SentAt;
            return isDue;
        }
    }

    /// <summary>Whether a marker that was sent before this one is still due.</summary>
    public bool IsOneDueBefore(long number)
    {
        lock (_gate) return _due.TryPeek(out var oldest) && oldest.Number < number;
    }

    /// <summary>Called for a new connection, on which no marker is due.</summary>
    public void Forget()
    {
        lock (_gate) _due.Clear();
    }

    /// <summary>
    /// Numbers that are given from now on are larger than this one, even if the clock is behind it; but not by more than a day, which no member's clock is.
    /// </summary>
    public void RaiseAbove(long number)
    {
        var plausible = _time.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds() << Shift;
        lock (_gate) _last = Math.Max(_last, Math.Min(number, plausible));
    }

    private long Advance()
    {
        var number = (_time.GetUtcNow().ToUnixTimeMilliseconds() << Shift) | _drawn;
        if (number <= _last) number = (_last >> Shift << Shift) | _drawn;
        if (number <= _last) number += 1L << Shift;
        return _last = number;
    }
}
