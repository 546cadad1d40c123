using KeyEvt.Forwarder.Fallback;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Do the lists hold more than the cap allows, and which one makes room? The cap is that of all lists together; the longest one drops its oldest entries. A single list keeps to the cap by itself at each append, see <see cref="Fallback.Lists.ListScripts.Append"/>.</summary>
/// <remarks>Used by the delivery loop only.</remarks>
internal sealed class StoreCap(QueueRegistry queues)
{
    private bool _hasStored;

    /// <summary>Entries in all lists together; 0: no cap; negative: the lists are switched off. It stays 0 until this run has stored something, so that it drops nothing it has found.</summary>
    public long Value { get; private set; }

    public bool AreListsOff => Value < 0;

    /// <summary>Whether room has to be made before anything more is stored. A list of one entry is left alone.</summary>
    public bool IsExceeded => Value > 0 && queues.Length > Value && ListLength > Value && Lists.Any(queue => queue.Length > 1);

    private IEnumerable<FallbackQueue> Lists => queues.All.Where(queue => queue.IsCapped);

    private long ListLength => Lists.Sum(queue => queue.Length);

    /// <summary>The cap in force when something is stored.</summary>
    public void BeginStoring(long cap) => (Value, _hasStored) = (cap, true);

    /// <summary>As at the start, when nothing was stored yet.</summary>
    public void Forget() => (Value, _hasStored) = (0, false);

    /// <summary>The cap in force now.</summary>
    public void Update(long cap)
    {
        if (_hasStored) Value = cap;
    }

    /// <summary>Starts a step that drops what is too much. Entries that another list is about to drop already are counted, however long that takes.</summary>
    public void MakeRoom()
    {
        if (!IsExceeded) return;

        var tooMany = ListLength - Value - Lists.Sum(queue => queue.Trimming);
        if (tooMany > 0 && Lists.MaxBy(queue => queue.Length - queue.Trimming) is { MayStart: true, Length: > 1 } longest)
        {
            longest.StartTrim(Math.Min(Math.Min(tooMany, longest.Length - 1), StoreSteps.MostTrimmed(0)));
        }
    }
}
