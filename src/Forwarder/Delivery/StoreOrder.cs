using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>
/// Must an event wait for what is in another store? Yes, when an event of its node, or of its key's slot, went into another one in this turn: then a new turn begins. That
/// is so when a slot has moved, when a node's list has gone with its slot, and when a store refused and another one took its place.
/// </summary>
internal sealed class StoreOrder
{
    private readonly (StoreKeeper? Store, int Turn)[] _ofSlot = new (StoreKeeper?, int)[SlotTag.Slots];
    private readonly Dictionary<ulong, (StoreKeeper Store, int Turn)> _ofNode = [];

    /// <summary>Of what is stored now. The first ones are of what was found.</summary>
    public int Turn { get; private set; } = 2;

    /// <summary>Notes where an event goes.</summary>
    /// <returns>Its turn.</returns>
    public int Note(in LogEntry entry, StoreKeeper store)
    {
        ref var ofSlot = ref _ofSlot[SlotTag.SlotOfKey(KeyOf(entry.Body.Span))];
        bool hasRun = EventPosition.TryReadRun(entry.MessageId.Span, out ulong run);
        bool isElsewhere = (ofSlot.Turn == Turn && ofSlot.Store != store) || (hasRun && _ofNode.TryGetValue(run, out var ofNode) && ofNode.Turn == Turn && ofNode.Store != store);
        if (isElsewhere)
            Turn++;

        ofSlot = (store, Turn);
        if (hasRun)
            _ofNode[run] = (store, Turn);
        return Turn;
    }

    /// <summary>A body is database, event and key, each behind a line's end.</summary>
    private static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> body)
    {
        for (int line = 0; line < 2; line++)
            body = body[(body.IndexOf((byte)'\n') + 1)..];
        return body;
    }
}
