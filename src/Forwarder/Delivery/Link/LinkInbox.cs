using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery.Link;

/// <summary>
/// How do the broker library's callbacks reach the delivery loop? Each is added to a list, in order, and the loop is woken. Nothing else happens on the library's threads.
/// </summary>
/// <remarks>Thread safe: both lists change places under the lock; <c>_reading</c> belongs to the delivery loop until its next call.</remarks>
internal sealed class LinkInbox(AsyncSignal signal) : ILinkEvents
{
    private readonly Lock _gate = new();
    private List<LinkEvent> _incoming = [];
    private List<LinkEvent> _reading = [];

    internal enum Kind
    {
        Confirmed,
        Refused,
        Returned,
        Blocked,
        Unblocked,
        Closed,
    }

    internal readonly record struct LinkEvent(Kind Kind, int ConnectionNumber, ulong Tag, bool Multiple, string? MessageId, string? Reason, LinkFailureKind Failure);

    /// <summary>Everything since the last call, in order. The list is valid until the next call.</summary>
    public List<LinkEvent> TakeAll()
    {
        lock (_gate)
        {
            _reading.Clear();
            (_incoming, _reading) = (_reading, _incoming);
            return _reading;
        }
    }

    public void Confirmed(int connectionNumber, ulong deliveryTag, bool multiple, bool refused) =>
        Add(new LinkEvent(refused ? Kind.Refused : Kind.Confirmed, connectionNumber, deliveryTag, multiple, null, null, default));

    public void Returned(int connectionNumber, string? messageId, string reason) =>
        Add(new LinkEvent(Kind.Returned, connectionNumber, default, false, messageId, reason, default));

    public void Blocked(int connectionNumber, string? reason) =>
        Add(new LinkEvent(reason is null ? Kind.Unblocked : Kind.Blocked, connectionNumber, default, false, null, reason, default));

    public void Closed(int connectionNumber, LinkFailureKind kind, string reason) =>
        Add(new LinkEvent(Kind.Closed, connectionNumber, default, false, null, reason, kind));

    private void Add(in LinkEvent linkEvent)
    {
        lock (_gate) _incoming.Add(linkEvent);

        signal.Set();
    }
}
