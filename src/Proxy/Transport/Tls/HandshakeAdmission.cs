using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// Whose TLS handshake may run, and who has to leave? One admission for all addresses of the program. Thread safe: all state is guarded by the gate.
/// <list type="bullet">
/// <item>A client that has sent nothing does not count as a handshake. When there are too many such clients, the one that has been silent for longest is put
/// out. If the newcomer's own network has too many, the oldest of that network is.</item>
/// <item>A client that has sent its ClientHello gets a handshake at once, if the limits of the program and of its network allow one more. Otherwise it
/// waits.</item>
/// <item>From its arrival to the end of its handshake a client may take <see cref="Deadline"/>. While others wait for its place, its handshake may take
/// <see cref="Patience"/>.</item>
/// </list>
/// </summary>
internal sealed class HandshakeAdmission : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The reason that <see cref="PutOutAll"/> gives.</summary>
    public const string Closed = "this address lets nobody in any more";

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(0.5);

    private static readonly string TooLate = $"no handshake within {Deadline.TotalSeconds} s";
    private const string TooSlow = "its handshake does not go on, and others wait";
    private const string TooSilent = "it says nothing, and others have come";

    private readonly Lock _gate = new();
    private readonly HandshakeLimits _limits;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly HandshakeQueues _queues = new();
    private bool _isSweeping;

    public HandshakeAdmission(HandshakeLimits limits, TimeProvider time)
    {
        (_limits, _time) = (limits, time);
        _timer = time.CreateTimer(static room => ((HandshakeAdmission)room!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Admits a client that has sent nothing yet. Null: so many clients wait that there is no place for another one, even if it would send at once.
    /// </summary>
    /// <param name="owner">The listener that the client came in by, see <see cref="PutOutAll"/>.</param>
    public PendingHandshake? Enter(Socket socket, IPAddress from, object owner)
    {
        var guest = new PendingHandshake(socket, owner, HandshakeLimits.NetworkOf(from), _time.GetTimestamp());
        PendingHandshake? leaves = null;
        lock (_gate)
        {
            if (CountOf(guest, HandshakeStage.Waiting) >= _limits.WaitingOfOneNetwork) return null;
            if (CountOf(guest, HandshakeStage.Silent) >= _limits.SilentOfOneNetwork)
            {
                leaves = _queues.Silent.First(silent => silent.Network == guest.Network);
            }
            else if (_queues.Silent.Count + _queues.Waiting.Count >= _limits.Waiting && (leaves = _queues.Silent.First?.Value) is null)
            {
                return null;
            }

            if (leaves is not null) Remove(leaves, TooSilent);
            _queues.Add(guest, HandshakeStage.Silent);
            if (!_isSweeping) _timer.Change(SweepEvery, SweepEvery);
            _isSweeping = true;
        }

        leaves?.Socket.Dispose();
        return guest;
    }

    /// <summary>
    /// Called when the client's ClientHello has come. Completes with true as soon as the client's handshake may begin, with false when the client is put out.
    /// </summary>
    public Task<bool> TurnAsync(PendingHandshake guest)
    {
        lock (_gate)
        {
            if (guest.Stage == HandshakeStage.Silent)
            {
                Remove(guest, reason: null);
                if (MayBegin(guest)) Begin(guest); // overtakes nobody: a waiting client that could use this place would have got it already
                else _queues.Add(guest, HandshakeStage.Waiting);
            }
        }

        return guest.Turn.Task;
    }

    /// <summary>Called when the client's handshake is over, or the client has gone. False: it had left already, or was put out.</summary>
    public bool Leave(PendingHandshake guest)
    {
        lock (_gate)
        {
            if (guest.Stage == HandshakeStage.Over) return false;
            var leavesPlace = guest.Stage == HandshakeStage.Shaking;
            Remove(guest, reason: null);
            if (leavesPlace) CallNext();
            return true;
        }
    }

    /// <summary>Resets the clients of a listener that accepts nobody any more, as the system does with clients that nobody has accepted.</summary>
    public void PutOutAll(object owner)
    {
        lock (_gate)
        {
            foreach (var guest in _queues.All.Where(guest => guest.Owner == owner).ToList())
            {
                guest.Reason = Closed;
                guest.Socket.Reset(); // before its handshake notices, which would end the connection without a reset
                Remove(guest, Closed);
            }

            CallNext();
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Sweep()
    {
        List<(PendingHandshake Guest, string? Reason)> leave;
        lock (_gate)
        {
            leave = [.. _queues.All.Select(guest => (guest, Overstays(guest))).Where(each => each.Item2 is not null)];
            foreach (var (guest, reason) in leave) Remove(guest, reason);
            CallNext();
            if (_queues.IsEmpty)
            {
                _isSweeping = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var (guest, _) in leave) guest.Socket.Dispose();
    }

    private string? Overstays(PendingHandshake guest)
    {
        if (_time.GetElapsedTime(guest.CameAt) >= Deadline) return TooLate;
        if (guest.Stage != HandshakeStage.Shaking || _time.GetElapsedTime(guest.ShakingSince) < Patience) return null;
        var isInTheWay = CountOf(guest, HandshakeStage.Waiting) > 0 || (_queues.Waiting.Count > 0 && _queues.Shaking.Count >= _limits.Handshakes);
        return isInTheWay ? TooSlow : null;
    }

    /// <summary>Gives free places to waiting clients, the longest wait first. Passes over clients whose network has its full share.</summary>
    private void CallNext()
    {
        for (var next = _queues.Waiting.First; next is not null && _queues.Shaking.Count < _limits.Handshakes;)
        {
            var guest = next.Value;
            next = next.Next;
            if (!MayBegin(guest)) continue;
            Remove(guest, reason: null);
            Begin(guest);
        }
    }

    private bool MayBegin(PendingHandshake guest) => _queues.Shaking.Count < _limits.Handshakes && CountOf(guest, HandshakeStage.Shaking) < _limits.HandshakesOfOneNetwork;

    private void Begin(PendingHandshake guest)
    {
        _queues.Add(guest, HandshakeStage.Shaking);
        guest.ShakingSince = _time.GetTimestamp();
        guest.Turn.TrySetResult(true);
    }

    private int CountOf(PendingHandshake guest, HandshakeStage stage) => _queues.CountOf(guest.Network, stage);

    /// <param name="reason">Why the client is put out; null: it is not.</param>
    private void Remove(PendingHandshake guest, string? reason)
    {
        _queues.Remove(guest);
        guest.Reason = reason;
        if (reason is not null) guest.Turn.TrySetResult(false);
    }
}
