using System.Buffers.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Intake;

/// <summary>
/// Which of the received events are to be sent? Fallback key, class, mask, disconnected; what remains goes into the memory log in
/// its stored form. Runs on the feeds' read loops: no waiting, no allocation. The configuration is read once an event, so a
/// change takes effect between two events.
/// </summary>
internal sealed class EventSink(Ledger ledger, DeliveryLoop delivery, Func<ForwarderConfig> config) : IEventSink
{
    private static readonly EventLog.Composer<StoredForm> ComposeStored = StoredForm.Compose;

    private volatile bool _isClosed;
    private volatile EventFilter? _filter;

    public void Received(
        in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        if (_isClosed)
            return;

        var now = config();
        bool isOurs = FallbackKey.Is(key);
        if (isOurs && FallbackKey.IsState(key))
            return; // what this program, or another one, keeps of itself is no event of anybody's

        if (isOurs || !FilterOf(now).Wants(database, eventClass, key))
        {
            ledger.Filtered();
            return;
        }

        if (delivery.State == DeliveryState.Stopped)
        {
            ledger.RefusedWhileDisconnected();
            return;
        }

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
        long mark = delivery.Memory.Tail;
        return _isClosed ? null : mark;
    }

    /// <summary>What was left behind when the program ended is settled for the ledger only: it is not kept as such, so that the next life's gap begins before it.</summary>
    public bool IsSettled(long mark) => delivery.Memory.Head >= mark && delivery.LeftBehind == 0;

    /// <summary>The program ends: what comes from here on is not taken, as if the feeds had ended.</summary>
    public void Close() => _isClosed = true;

    /// <summary>Made anew at the first event after masks, rules or classes have changed.</summary>
    private EventFilter FilterOf(ForwarderConfig config)
    {
        var filter = _filter;
        return filter is not null && filter.IsOf(config.Events, config.Masks, config.Rules) ? filter : _filter = new EventFilter(config.Events, config.Masks, config.Rules);
    }
}
