namespace KeyEvt.Forwarder.Events;

/// <summary>Where does a node's feed put what it received? Called on the feed's read loop: synchronous, never waits.</summary>
public interface IEventSink
{
    /// <summary>Takes one notification; whatever is kept is copied.</summary>
    /// <param name="eventClass">By the word of the server; two where it uses the name for both.</param>
    /// <param name="fields">Of the hash, see <see cref="FieldList"/>; empty where the server does not say.</param>
    /// <param name="unixMilliseconds">When the feed read it; a timestamp, not for measuring durations.</param>
    void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds);

    /// <summary>All notifications of one read have been handed over: wakes the publisher once.</summary>
    void EndOfBatch();

    /// <summary>A place behind all that was handed over so far, over all feeds; null: nothing more is taken, and what was handed over last may not have been.</summary>
    long? Mark() => 0;

    /// <summary>All before that place is confirmed, stored, or counted as dropped: it would outlive the program.</summary>
    bool IsSettled(long mark) => true;
}
