using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Keys;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>
/// Must an event wait for what is in another store? Yes, when an event of its node, or of its key's slot, went into another one in this epoch: then a new epoch begins. That
/// is so when a slot has moved, when a node's list has gone with its slot, and when a store refused and another one took its place.
/// </summary>
internal sealed class EpochAssigner
{
    private readonly (FallbackQueue? Store, int Epoch)[] _ofSlot = new (FallbackQueue?, int)[SlotTag.Slots];
    private readonly Dictionary<ulong, (FallbackQueue Store, int Epoch)> _ofNode = [];

    /// <summary>Of what is stored now. The first ones are of what was found.</summary>
    public int Epoch { get; private set; } = 2;

    public void BeginEpoch() => Epoch++;

    /// <summary>Whether the event may go out beside what was stored in this epoch.</summary>
    public bool MayJoin(in LogEntry entry, FallbackQueue store)
    {
        var (other, epoch) = _ofSlot[SlotOf(entry)];
        return (epoch != Epoch || other == store)
            && (!EventPosition.TryReadRun(entry.MessageId.Span, out ulong run) || !_ofNode.TryGetValue(run, out var last) || last.Epoch != Epoch || last.Store == store);
    }

    /// <summary>The event goes into this store in this epoch.</summary>
    public void Note(in LogEntry entry, FallbackQueue store)
    {
        _ofSlot[SlotOf(entry)] = (store, Epoch);
        if (EventPosition.TryReadRun(entry.MessageId.Span, out ulong run))
            _ofNode[run] = (store, Epoch);
    }

    /// <summary>A body is database, event and key, each of the first two with a line's end.</summary>
    private static int SlotOf(in LogEntry entry)
    {
        var key = entry.Body.Span;
        for (int line = 0; line < 2; line++)
            key = key[(key.IndexOf((byte)'\n') + 1)..];
        return SlotTag.SlotOfKey(key);
    }
}
