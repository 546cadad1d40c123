using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Which gaps have there been, over all feeds? The newest are kept, all are counted. Thread safe.</summary>
public sealed class GapLog(int capacity = 256)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Gap> _gaps = [];
    private readonly Dictionary<string, GapTotals> _totals = [];
    private long _lastId;
    private int _open;

    /// <summary>Called for each gap when it ends, on a feed's own loop or in Want, under no lock: must return at once.</summary>
    public event Action<Gap>? Closed;

    /// <summary>Called for each gap when it begins, on a feed's own loop: must return at once.</summary>
    public event Action<Gap>? Opened;

    /// <summary>All gaps ever, open ones too.</summary>
    public long Total
    {
        get
        {
            lock (_gate) return _lastId;
        }
    }

    public int Open
    {
        get
        {
            lock (_gate) return _open;
        }
    }

    /// <summary>Those still kept, oldest first.</summary>
    public IReadOnlyList<Gap> Recent
    {
        get
        {
            lock (_gate) return [.. _gaps];
        }
    }

    /// <summary>All gaps ever of one node, by its address.</summary>
    internal GapTotals OfNode(string node)
    {
        lock (_gate) return _totals.GetValueOrDefault(node);
    }

    /// <summary>The same of each node that has had any.</summary>
    internal IReadOnlyList<(string Node, GapTotals Totals)> ByNode
    {
        get
        {
            lock (_gate) return [.. _totals.Select(one => (one.Key, one.Value))];
        }
    }

    /// <summary>Keeps a gap, which may be closed already, and gives it its number. To be announced when the caller holds no lock.</summary>
    internal Gap Add(Gap gap)
    {
        lock (_gate)
        {
            gap = gap with { Id = ++_lastId };
            _gaps.AddLast(gap);
            _open += gap.IsOpen ? 1 : 0;
            _totals[gap.Node] = _totals.GetValueOrDefault(gap.Node).With(gap);
            Trim();
        }

        return gap;
    }

    internal void AnnounceOpened(Gap gap) => Opened?.Invoke(gap);

    internal void AnnounceClosed(Gap gap) => Closed?.Invoke(gap);

    /// <summary>Replaces an open gap by its closed form. To be announced as well.</summary>
    internal void Close(Gap closed)
    {
        lock (_gate)
        {
            Replace(closed);
            _open--;
            _totals[closed.Node] = _totals.GetValueOrDefault(closed.Node).WithEnd(closed);
            Trim();
        }
    }

    /// <summary>Puts a gap in the place of the one with its number.</summary>
    internal void Replace(Gap gap)
    {
        lock (_gate)
        {
            for (var node = _gaps.Last; node is not null; node = node.Previous)
            {
                if (node.Value.Id == gap.Id)
                {
                    node.Value = gap;
                    break;
                }
            }
        }
    }

    /// <summary>Open gaps are as many as there are feeds at most, and are never forgotten.</summary>
    private void Trim()
    {
        for (var node = _gaps.First; node is not null && _gaps.Count > capacity;)
        {
            var next = node.Next;
            if (!node.Value.IsOpen) _gaps.Remove(node);
            node = next;
        }
    }
}
