using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>Which gaps have there been, over all feeds? The newest are kept; all are counted. Thread safe.</summary>
public sealed class GapLog(int capacity = 256)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Gap> _gaps = [];
    private readonly Dictionary<string, GapTotals> _totals = [];
    private long _lastId;
    private long _withdrawn;
    private int _open;

    /// <summary>Raised for each gap when it ends, on a feed's own loop or in Want, without a lock. Handlers must return at once.</summary>
    public event Action<Gap>? Closed;

    /// <summary>Raised for each gap when it begins, on a feed's own loop. Handlers must return at once.</summary>
    public event Action<Gap>? Opened;

    /// <summary>Number of all gaps so far, open ones included.</summary>
    public long Total
    {
        get
        {
            lock (_gate) return _lastId - _withdrawn;
        }
    }

    public int Open
    {
        get
        {
            lock (_gate) return _open;
        }
    }

    /// <summary>The gaps that are still kept, oldest first.</summary>
    public IReadOnlyList<Gap> Recent
    {
        get
        {
            lock (_gate) return [.. _gaps];
        }
    }

    /// <summary>Totals of all gaps so far of one node, by its address.</summary>
    internal GapTotals OfNode(string node)
    {
        lock (_gate) return _totals.GetValueOrDefault(node);
    }

    /// <summary>The totals of each node that has had a gap.</summary>
    internal IReadOnlyList<(string Node, GapTotals Totals)> ByNode
    {
        get
        {
            lock (_gate) return [.. _totals.Select(one => (one.Key, one.Value))];
        }
    }

    /// <summary>Keeps a gap, which may be closed already, and gives it its number. The caller announces it later, when it holds no lock.</summary>
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

    /// <summary>Replaces an open gap by its closed form. The caller announces it later, when it holds no lock.</summary>
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

    /// <summary>Removes an open gap: it was none. Its number is not used again.</summary>
    internal void Withdraw(Gap open)
    {
        lock (_gate)
        {
            _gaps.Remove(_gaps.Last(gap => gap.Id == open.Id));
            _open--;
            _withdrawn++;
            _totals[open.Node] = _totals.GetValueOrDefault(open.Node).Without(open);
        }
    }

    /// <summary>Replaces the kept gap that has the same number.</summary>
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

    /// <summary>Removes the oldest closed gaps above the capacity. Open gaps are never removed; there is at most one for each feed.</summary>
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
