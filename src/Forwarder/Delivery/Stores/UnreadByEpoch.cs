namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>How many entries of a store are not read yet, and to which epochs do they belong? What an epoch is: see <see cref="EpochAssigner"/>.</summary>
/// <remarks>Used by the delivery loop only.</remarks>
internal sealed class UnreadByEpoch
{
    private readonly List<(long Epoch, long Count)> _runs = []; // oldest first, one for each epoch: few

    public long Count { get; private set; }

    /// <summary>The epoch of the oldest entry, and how many entries it has; both 0 when there is none.</summary>
    public (long Epoch, long Count) First => _runs.Count > 0 ? _runs[0] : default;

    public IReadOnlyList<(long Epoch, long Count)> All => _runs;

    public void Add(long epoch, long count)
    {
        Count += count;
        if (_runs.Count > 0 && _runs[^1].Epoch == epoch) _runs[^1] = (epoch, _runs[^1].Count + count);
        else if (count > 0) _runs.Add((epoch, count));
    }

    /// <summary>Adds entries that were found. Nobody knows their epoch, so they count as the oldest one here.</summary>
    /// <param name="epoch">Counts when there are no other entries.</param>
    public void AddInFront(long epoch, long count)
    {
        if (_runs.Count == 0)
        {
            Add(epoch, count);
            return;
        }

        Count += count;
        _runs[0] = (_runs[0].Epoch, _runs[0].Count + count);
    }

    /// <summary>
    /// The oldest entry turns out to be of a later epoch than was thought, and with it all that are thought to be of the same one. False: nothing has changed, because what is
    /// behind them is known to be no later.
    /// </summary>
    public bool TryRaiseFirst(long epoch)
    {
        if (_runs.Count > 1) epoch = Math.Min(epoch, _runs[1].Epoch);
        if (_runs.Count == 0 || epoch <= _runs[0].Epoch) return false;

        _runs[0] = (epoch, _runs[0].Count);
        if (_runs.Count == 1 || _runs[1].Epoch > epoch) return true;

        _runs[1] = (epoch, _runs[0].Count + _runs[1].Count);
        _runs.RemoveAt(0);
        return true;
    }

    public void Clear()
    {
        _runs.Clear();
        Count = 0;
    }

    public void TakeFront(long count)
    {
        Count -= count;
        while (count > 0 && _runs.Count != 0)
        {
            var taken = Math.Min(count, _runs[0].Count);
            count -= taken;
            if (taken == _runs[0].Count) _runs.RemoveAt(0);
            else _runs[0] = (_runs[0].Epoch, _runs[0].Count - taken);
        }
    }

    public void TakeBack(long count)
    {
        Count -= count;
        while (count > 0 && _runs.Count != 0)
        {
            var taken = Math.Min(count, _runs[^1].Count);
            count -= taken;
            if (taken == _runs[^1].Count) _runs.RemoveAt(_runs.Count - 1);
            else _runs[^1] = (_runs[^1].Epoch, _runs[^1].Count - taken);
        }
    }
}
