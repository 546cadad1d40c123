namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// Which clients are in which stage of their handshake, and how many of each network? Not thread safe: <see cref="HandshakeAdmission"/> holds its lock while it
/// uses this.
/// </summary>
internal sealed class HandshakeQueues
{
    /// <summary>One list for each <see cref="HandshakeStage"/> except the last, in the order in which the clients came to that stage.</summary>
    private readonly LinkedList<PendingHandshake>[] _guests = [new(), new(), new()];

    /// <summary>How many clients a network has in each stage. Networks without clients are not in it.</summary>
    private readonly Dictionary<UInt128, int[]> _counts = [];

    public LinkedList<PendingHandshake> Silent => _guests[(int)HandshakeStage.Silent];

    public LinkedList<PendingHandshake> Waiting => _guests[(int)HandshakeStage.Waiting];

    public LinkedList<PendingHandshake> Shaking => _guests[(int)HandshakeStage.Shaking];

    public IEnumerable<PendingHandshake> All => _guests.SelectMany(stage => stage);

    public bool IsEmpty => _counts.Count == 0;

    public int CountOf(UInt128 network, HandshakeStage stage) => _counts.TryGetValue(network, out var counts) ? counts[(int)stage] : 0;

    /// <summary>Puts a client that is in no stage behind all others of this stage.</summary>
    public void Add(PendingHandshake guest, HandshakeStage stage)
    {
        guest.Stage = stage;
        guest.Place = _guests[(int)stage].AddLast(guest);
        if (!_counts.TryGetValue(guest.Network, out var counts)) _counts[guest.Network] = counts = new int[_guests.Length];
        counts[(int)stage]++;
    }

    /// <summary>Takes a client out of its stage. Its stage is <see cref="HandshakeStage.Over"/> then.</summary>
    public void Remove(PendingHandshake guest)
    {
        var stage = (int)guest.Stage;
        _guests[stage].Remove(guest.Place!);
        var counts = _counts[guest.Network];
        counts[stage]--;
        if (counts.All(count => count == 0)) _counts.Remove(guest.Network);
        guest.Stage = HandshakeStage.Over;
    }
}
