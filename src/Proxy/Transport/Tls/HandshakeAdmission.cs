using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Sockets;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// Whose TLS handshake may run, and who has to leave? One room for all addresses of the program. Thread safe.
/// <list type="bullet">
/// <item>A client that has sent nothing takes no handshake. When there are too many of them the one that has been silent for longest is put out, first of the newcomer's own network.</item>
/// <item>Who has spoken gets a handshake at once, while there is one left for all and for its network; else it waits its turn.</item>
/// <item>All of it may take <see cref="Deadline"/>. While others wait for its place, a handshake may take <see cref="Patience"/>.</item>
/// </list>
/// </summary>
internal sealed class HandshakeAdmission : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Why <see cref="PutOutAll"/> puts out.</summary>
    public const string Closed = "this address lets nobody in any more";

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(0.5);

    private static readonly string TooLate = $"no handshake within {Deadline.TotalSeconds} s";
    private const string TooSlow = "its handshake does not go on, and others wait";
    private const string TooSilent = "it says nothing, and others have come";

    private readonly Lock _gate = new();
    private readonly HandshakeLimits _limits;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    /// <summary>By <see cref="HandshakeStage"/>; each in the order in which its clients came to that stage.</summary>
    private readonly LinkedList<PendingHandshake>[] _guests = [new(), new(), new()];

    /// <summary>How many a network has in each stage; networks that have none are not in it.</summary>
    private readonly Dictionary<UInt128, int[]> _counts = [];
    private bool _isSweeping;

    public HandshakeAdmission(HandshakeLimits limits, TimeProvider time)
    {
        (_limits, _time) = (limits, time);
        _timer = time.CreateTimer(static room => ((HandshakeAdmission)room!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private LinkedList<PendingHandshake> Silent => _guests[(int)HandshakeStage.Silent];

    private LinkedList<PendingHandshake> Waiting => _guests[(int)HandshakeStage.Waiting];

    private LinkedList<PendingHandshake> Shaking => _guests[(int)HandshakeStage.Shaking];

    /// <summary>Null: so many wait already that there is no place, not even for one that would speak at once.</summary>
    /// <param name="owner">See <see cref="PutOutAll"/>.</param>
    public PendingHandshake? Enter(Socket socket, IPAddress from, object owner)
    {
        var guest = new PendingHandshake(socket, owner, HandshakeLimits.NetworkOf(from), _time.GetTimestamp());
        PendingHandshake? leaves = null;
        lock (_gate)
        {
            if (CountOf(guest, HandshakeStage.Waiting) >= _limits.WaitingOfOneNetwork) return null;
            if (CountOf(guest, HandshakeStage.Silent) >= _limits.SilentOfOneNetwork)
            {
                leaves = Silent.First(silent => silent.Network == guest.Network);
            }
            else if (Silent.Count + Waiting.Count >= _limits.Waiting && (leaves = Silent.First?.Value) is null)
            {
                return null;
            }

            if (leaves is not null) Remove(leaves, TooSilent);
            Add(guest, HandshakeStage.Silent);
            if (!_isSweeping) _timer.Change(SweepEvery, SweepEvery);
            _isSweeping = true;
        }

        leaves?.Socket.Dispose();
        return guest;
    }

    /// <summary>The guest's ClientHello has come. True as soon as its handshake may begin; false: it was put out.</summary>
    public Task<bool> TurnAsync(PendingHandshake guest)
    {
        lock (_gate)
        {
            if (guest.Stage == HandshakeStage.Silent)
            {
                Remove(guest, reason: null);
                if (MayBegin(guest)) Begin(guest); // then nobody waits who could have its place
                else Add(guest, HandshakeStage.Waiting);
            }
        }

        return guest.Turn.Task;
    }

    /// <summary>Its handshake is over, or it has gone. False: it had left already, or was put out.</summary>
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

    /// <summary>Resets the clients of a listener that lets nobody in any more, as the system does with those that nobody has accepted.</summary>
    public void PutOutAll(object owner)
    {
        lock (_gate)
        {
            foreach (var guest in _guests.SelectMany(stage => stage).Where(guest => guest.Owner == owner).ToList())
            {
                guest.Reason = Closed;
                guest.Socket.Reset(); // before its handshake gets to know, which would end the connection in order
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
            leave = [.. _guests.SelectMany(stage => stage).Select(guest => (guest, Overstays(guest))).Where(each => each.Item2 is not null)];
            foreach (var (guest, reason) in leave) Remove(guest, reason);
            CallNext();
            if (_counts.Count == 0)
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
        var isInTheWay = CountOf(guest, HandshakeStage.Waiting) > 0 || (Waiting.Count > 0 && Shaking.Count >= _limits.Handshakes);
        return isInTheWay ? TooSlow : null;
    }

    /// <summary>Gives free places to those that wait, the longest wait first; one whose network has its share is passed over.</summary>
    private void CallNext()
    {
        for (var next = Waiting.First; next is not null && Shaking.Count < _limits.Handshakes;)
        {
            var guest = next.Value;
            next = next.Next;
            if (!MayBegin(guest)) continue;
            Remove(guest, reason: null);
            Begin(guest);
        }
    }

    private bool MayBegin(PendingHandshake guest) => Shaking.Count < _limits.Handshakes && CountOf(guest, HandshakeStage.Shaking) < _limits.HandshakesOfOneNetwork;

    private void Begin(PendingHandshake guest)
    {
        Add(guest, HandshakeStage.Shaking);
        guest.ShakingSince = _time.GetTimestamp();
        guest.Turn.TrySetResult(true);
    }

    private int CountOf(PendingHandshake guest, HandshakeStage stage) => _counts.TryGetValue(guest.Network, out var counts) ? counts[(int)stage] : 0;

    private void Add(PendingHandshake guest, HandshakeStage stage)
    {
        guest.Stage = stage;
        guest.Place = _guests[(int)stage].AddLast(guest);
        if (!_counts.TryGetValue(guest.Network, out var counts)) _counts[guest.Network] = counts = new int[_guests.Length];
        counts[(int)stage]++;
    }

    /// <param name="reason">Null: it was not put out.</param>
    private void Remove(PendingHandshake guest, string? reason)
    {
        var stage = (int)guest.Stage;
        _guests[stage].Remove(guest.Place!);
        var counts = _counts[guest.Network];
        counts[stage]--;
        if (counts.All(count => count == 0)) _counts.Remove(guest.Network);
        guest.Stage = HandshakeStage.Over;
        guest.Reason = reason;
        if (reason is not null) guest.Turn.TrySetResult(false);
    }
}
