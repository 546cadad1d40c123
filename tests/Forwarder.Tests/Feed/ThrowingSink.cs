using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A fault in the program.</summary>
internal sealed class ThrowingSink : IEventSink
{
    public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        throw new NotSupportedException();

    public void EndOfBatch()
    {
    }
}
