using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Which marker is next, and is a payload one of ours that is due? One instance for the life of a feed: a number is never given twice.</summary>
/// <remarks>
/// A number is made of the wall clock (milliseconds, times 2^20) and, in its low bits, of a number drawn for this instance; it rises by one where the clock
/// does not, or goes back. So a later run of the program begins above all numbers of an earlier one, on the same node, no two events ever share a position,
/// and a message id tells to a marker's interval when its event was read. Thread safe: sent by the timer, seen by the read loop.
/// </remarks>
internal sealed class MarkerSequence
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Number, ClockReading SentAt)> _due = new();
    private readonly byte[] _prefix;
    private readonly TimeProvider _time;
    private readonly long _drawn = RandomNumberGenerator.GetInt32(1 << 20);
    private long _last;

    /// <param name="name">For people who look at the channel; two programs may have the same. Empty: none.</param>
    public MarkerSequence(TimeProvider time, string name = "")
    {
        Nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        Instance = name.Length == 0 ? Nonce : $"{name}-{Nonce}";
        _prefix = Encoding.ASCII.GetBytes(Instance + ":");
        _time = time;
    }

    /// <summary>Tells this feed's markers from those of others on the same channel.</summary>
    public string Instance { get; }

    /// <summary>16 hexadecimal digits that no other feed has.</summary>
    public string Nonce { get; }

    /// <summary>A number that is not sent: a place in the stream that is known otherwise.</summary>
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

    public string PayloadOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{Instance}:{number}");

    /// <summary>A marker came back. Those before it that did not are settled with it.</summary>
    public bool TrySee(ReadOnlySpan<byte> payload, out long number, out ClockReading sentAt)
    {
        (number, sentAt) = (0, default);
        return payload.StartsWith(_prefix)
            && Utf8Parser.TryParse(payload[_prefix.Length..], out number, out var used) && used == payload.Length - _prefix.Length
            && TrySettle(number, out sentAt);
    }

    /// <summary>The marker's own command was answered in a way that means it will not come back as a message.</summary>
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

    /// <summary>One that was sent before this one is still due.</summary>
    public bool IsOneDueBefore(long number)
    {
        lock (_gate) return _due.TryPeek(out var oldest) && oldest.Number < number;
    }

    /// <summary>A new connection: nothing is due on it.</summary>
    public void Forget()
    {
        lock (_gate) _due.Clear();
    }

    private long Advance() => _last = Math.Max(_last + 1, (_time.GetUtcNow().ToUnixTimeMilliseconds() << 20) | _drawn);
}
