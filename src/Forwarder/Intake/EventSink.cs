using System.Buffers.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Intake;

/// <summary>
/// Which of the received events are to be sent? Not those of KeyEvt's own keys, of classes and keys that nobody asked for, nor any while disconnected. The others are appended
/// to the memory log in their stored form.
/// </summary>
/// <remarks>
/// Runs on the feeds' read loops, without waiting and without allocating. The configuration is read once for each event, so a change takes effect between two events.
/// </remarks>
internal sealed class EventSink(Ledger ledger, DeliveryLoop delivery, Func<ForwarderConfig> config, Func<ForwarderConfig>? former = null) : IEventSink
{
    private static readonly EventLog.Composer<StoredForm> ComposeStored = StoredForm.Compose;

    private volatile bool _isClosed; // set by the engine, read by the feeds' loops
    private volatile EventFilter? _filter; // made and read by the feeds' loops: if two make one at once, either is right
    private volatile EventFilter? _formerFilter;

    public void Received(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        Receive(position, database, eventClass, eventName, key, fields, unixMilliseconds, isBefore: false);

    public void ReceivedBefore(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        Receive(position, database, eventClass, eventName, key, fields, unixMilliseconds, isBefore: true);

    private void Receive(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds, bool isBefore)
    {
        if (_isClosed) return;

        var now = ConfigOf(isBefore);
        var isOurs = FallbackKey.Is(key);
        if (isOurs && FallbackKey.IsState(key)) return; // the state that a KeyEvt keeps for its next start: not even counted as filtered

        if (isOurs || !FilterOf(now, isBefore).Wants(database, eventClass, key))
        {
            ledger.Filtered();
            return;
        }

        if (now.IsStopped || delivery.State == DeliveryState.Stopped)
        {
            ledger.RefusedWhileDisconnected();
            return;
        }

        Adopted(position, database, eventClass, eventName, key, fields, unixMilliseconds);
    }

    public bool Wants(int database, EventClass eventClass, ReadOnlySpan<byte> key, bool isBefore)
    {
        var now = ConfigOf(isBefore);
        return !now.IsStopped && !FallbackKey.Is(key) && FilterOf(now, isBefore).Wants(database, eventClass, key);
    }

    public void Adopted(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        if (_isClosed) return;

        Span<byte> head = stackalloc byte[StoredForm.MaxHeadLength];
        var headLength = StoredForm.WriteHead(head, position, eventClass, eventName, fields.Length);
        Span<byte> databaseDigits = stackalloc byte[11];
        Utf8Formatter.TryFormat(database, databaseDigits, out var databaseLength);
        var form = new StoredForm(head[..headLength], databaseDigits[..databaseLength], eventName, key, fields);
        ledger.Accepted();
        delivery.Memory.Append(form.Length, headLength, unixMilliseconds, form, ComposeStored);
    }

    public void EndOfBatch() => delivery.Wake();

    public long? Mark()
    {
        var mark = delivery.Memory.Tail;
        return _isClosed ? null : mark;
    }

    /// <summary>
    /// Whether everything before the mark has its place. Events that were left behind at the end are settled in the ledger, but reached no place. The mark then counts as not
    /// settled, and the gap that the next start reports begins before them.
    /// </summary>
    public bool IsSettled(long mark) => delivery.Memory.Head >= mark && delivery.LeftBehind == 0;

    /// <summary>Takes no more events, as the program ends.</summary>
    public void Close() => _isClosed = true;

    private ForwarderConfig ConfigOf(bool isBefore) => isBefore && former is not null ? former() : config();

    /// <summary>The filter of a configuration. It is made anew at the first event after masks, rules or classes have changed.</summary>
    private EventFilter FilterOf(ForwarderConfig now, bool isBefore)
    {
        var filter = isBefore ? _formerFilter : _filter;
        if (filter is not null && filter.IsOf(now.Events, now.Masks, now.Rules)) return filter;

        filter = new EventFilter(now.Events, now.Masks, now.Rules);
        if (isBefore) _formerFilter = filter;
        else _filter = filter;
        return filter;
    }
}
