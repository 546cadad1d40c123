using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>Which epoch does a stored event belong to?</summary>
/// <remarks>
/// <para>
/// Ordering across several lists. Every entry carries an epoch; entries of epoch n, in any list, are delivered before any entry of epoch n+1. Within an epoch each list is
/// delivered in its own order, and the lists do not wait for each other.
/// </para>
/// <para>
/// A new epoch begins when an event must wait for one in another list: an event of the same node, or of the same slot, went there in this epoch. Three causes: a slot has
/// moved, a node's list has moved with its slot, or a list refused events and another one took them.
/// </para>
/// <para>
/// The epoch stands in each entry, so that the next holder or the next run keeps the order too. No epoch of a holder is below its term, and terms grow from holder to holder.
/// </para>
/// <para>Used by the delivery loop only.</para>
/// </remarks>
internal sealed class EpochAssigner
{
    /// <summary>The epoch of entries that an earlier run left in a list, as long as none of them says another one. It is also the only one when there is a single list.</summary>
    public const long FoundInList = 0;

    /// <summary>The same for the spool: an earlier run stored them there when the lists took no more.</summary>
    public const long FoundInSpool = 1;

    private readonly (FallbackQueue? Store, long Epoch)[] _ofSlot = new (FallbackQueue?, long)[SlotTag.Slots];
    private readonly Dictionary<ulong, (FallbackQueue Store, long Epoch)> _ofNode = [];

    /// <summary>The epoch of what is stored now.</summary>
    public long Current { get; private set; } = FoundInSpool + 1;

    public void Begin() => Current++;

    /// <summary>Begins the first epoch of a term. Nothing may be on its way into a store. Does nothing if it has begun.</summary>
    public void BeginTerm(long term) => Current = Math.Max(Current, term);

    /// <summary>Whether the event may go into this store in the current epoch: no event of its node or slot went into another one.</summary>
    public bool MayJoin(in LogEntry entry, FallbackQueue store)
    {
        var (other, epoch) = _ofSlot[SlotOf(entry)];
        return (epoch != Current || other == store)
            && (!EventMessageId.TryReadRun(entry.MessageId.Span, out var run) || !_ofNode.TryGetValue(run, out var last) || last.Epoch != Current || last.Store == store);
    }

    /// <summary>Records that the event goes into this store in the current epoch.</summary>
    public void Note(in LogEntry entry, FallbackQueue store)
    {
        _ofSlot[SlotOf(entry)] = (store, Current);
        if (EventMessageId.TryReadRun(entry.MessageId.Span, out var run)) _ofNode[run] = (store, Current);
    }

    /// <summary>body = database LF event LF key</summary>
    private static int SlotOf(in LogEntry entry)
    {
        var key = entry.Body.Span;
        for (var line = 0; line < 2; line++) key = key[(key.IndexOf((byte)'\n') + 1)..];
        return SlotTag.SlotOfKey(key);
    }
}
