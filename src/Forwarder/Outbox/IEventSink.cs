using KeyEvt.Forwarder.Feed;

namespace KeyEvt.Forwarder.Outbox;

/// <summary>Where does a node's feed put what it received? Called on the feed's read loop: synchronous, never waits.</summary>
public interface IEventSink
{
    /// <summary>Takes one notification; whatever is kept is copied.</summary>
    /// <param name="unixMilliseconds">When the feed read it; a timestamp, not for measuring durations.</param>
    void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, long unixMilliseconds);

    /// <summary>All notifications of one read have been handed over: wakes the publisher once.</summary>
    void EndOfBatch();
}
