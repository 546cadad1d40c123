using KeyEvt.Forwarder.Events;
using KeyEvt.Simulation.Broker;

namespace KeyEvt.Simulation.Judging;

/// <summary>What have the nodes acknowledged, and what has a consumer got? Judged from outside of the programs, by nothing that they say but the messages.</summary>
internal sealed class EventBook(TimeSpan slack)
{
    private readonly List<SimulatedWrite> _writes = [];
    private readonly Dictionary<string, SimulatedWrite> _byKey = [];
    private readonly Dictionary<string, SimulatedWrite> _byId = [];
    private readonly Dictionary<string, int> _counts = [];
    private readonly Dictionary<string, int> _newest = [];
    private readonly List<DeclaredGap> _gaps = [];

    public IReadOnlyList<SimulatedWrite> Writes => _writes;

    public IReadOnlyList<DeclaredGap> Gaps => _gaps;

    public int Received { get; private set; }

    /// <summary>How many writes there have been at this node.</summary>
    public int CountOf(string node) => _counts.GetValueOrDefault(node);

    public SimulatedWrite Add(string key, string node, long at, bool isOptional = false, bool? isWanted = null)
    {
        var write = new SimulatedWrite(key, node, CountOf(node), at) { IsOptional = isOptional, IsWanted = isWanted };
        _counts[node] = write.Index + 1;
        _writes.Add(write);
        _byKey.Add(key, write);
        return write;
    }

    /// <param name="isFromHolder">Who holds no office any more may come late with what nobody else has.</param>
    /// <param name="isAhead">It may come before older ones.</param>
    /// <returns>What is wrong with it; null: nothing.</returns>
    /// <param name="write">The write whose event it is; null: it tells of a gap.</param>
    public string? Take(BrokerMessage message, bool isFromHolder, bool isAhead, out SimulatedWrite? write)
    {
        Received++;
        write = null;
        if (TakeGap(message.Id, message.Body)) return null;

        if (message.Body.Split('\n') is not [_, _, var key] || !_byKey.TryGetValue(key, out write))
        {
            return $"a message that belongs to no write: {message}";
        }

        if (_byId.TryGetValue(message.Id, out var other) && other != write) return $"{other.Key} and {key} have the same id {message.Id}";

        _byId[message.Id] = write;
        var newest = _newest.GetValueOrDefault(write.Node, -1);
        if (!write.IsReceived && write.Index < newest && isFromHolder) write.IsOvertaken = true;
        if (!write.Ids.Contains(message.Id)) write.Ids.Add(message.Id);
        if (!isAhead) _newest[write.Node] = Math.Max(newest, write.Index);
        return null;
    }

    /// <summary>An entry was lost together with the node that kept it. If it told of a gap, that was declared as well as could be.</summary>
    public void TakeLostGap(string id, string body) => TakeGap(id, body);

    /// <summary>A gap is declared, but not as a message.</summary>
    public void Declared(Gap gap) => _gaps.Add(DeclaredGap.Of(gap, slack));

    /// <summary>The broker refuses a message, which is sent again behind those that are under way.</summary>
    public void Refused(BrokerMessage message)
    {
        if (message.Body.Split('\n') is [_, _, var key] && _byKey.TryGetValue(key, out var write)) write.IsRefused = true;
    }

    /// <summary>Nobody can know what became of these.</summary>
    public void Excuse(string why, Func<SimulatedWrite, bool> concerns)
    {
        foreach (var write in _writes.Where(write => !write.IsReceived && (!write.IsOptional || write.IsWanted == true) && write.Excuse is null && concerns(write)))
        {
            write.Excuse = why;
        }
    }

    private bool TakeGap(string id, string body)
    {
        if (!id.StartsWith("gap-", StringComparison.Ordinal)) return false;

        _gaps.Add(DeclaredGap.Read(body, slack));
        return true;
    }

    /// <summary>Who begins anew knows no positions of what it has heard since its subscription.</summary>
    public void BeginsAnew(long subscribedAt)
    {
        foreach (var write in _writes.Where(write => write.At >= subscribedAt)) write.HasTwoIds = true;
    }

    /// <summary>Gaps of programs that are no holders at the end: their messages wait until they are, and they stand in their info.</summary>
    public IReadOnlyList<DeclaredGap> Standing { get; set; } = [];

    public bool IsInGap(SimulatedWrite write) => _gaps.Exists(gap => gap.Covers(write.At)) || Standing.Any(gap => gap.Covers(write.At));

    /// <summary>Writes that no consumer got, and that lie in no gap.</summary>
    public IEnumerable<SimulatedWrite> Lost => _writes.Where(write => !write.IsReceived && (!write.IsOptional || write.IsWanted == true) && write.Excuse is null && !IsInGap(write));

    /// <summary>Whether nodes succeed one another. Then an event may come from both, with the positions of each.</summary>
    public bool HasSuccessors { get; init; }

    /// <summary>Writes that came by two ids, later than one behind them, or though nobody wanted them.</summary>
    public IEnumerable<(SimulatedWrite Write, string Fault)> Odd
    {
        get
        {
            foreach (var write in _writes)
            {
                if (write is { IsWanted: false, IsReceived: true }) yield return (write, "came though nobody wants it any more");
                if (write.Excuse is not null || HasSuccessors || IsInGap(write)) continue;
                if (write.Ids.Count > (write.HasTwoIds ? 2 : 1))
                {
                    yield return (write, "came by several ids: " + string.Join(' ', write.Ids));
                }

                if (write.IsOvertaken && !write.IsRefused) yield return (write, "came behind a later one");
            }
        }
    }
}
