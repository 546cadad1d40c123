namespace KeyEvt.Forwarder.Events;

/// <summary>Where does a node's feed put what it has received? Called on the feed's read loop: must be synchronous, and never wait.</summary>
public interface IEventSink
{
    /// <summary>Receives one notification. Copies everything that it keeps.</summary>
    /// <param name="eventClass">The class at this server; two classes if the server uses the name for both.</param>
    /// <param name="fields">The fields of the hash, see <see cref="FieldList"/>; empty if the server does not tell.</param>
    /// <param name="unixMilliseconds">When the feed read it. A wall clock time, not for measuring durations.</param>
    void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds);

    /// <summary>As <see cref="Received"/>, for an event that came before the last change of the configuration.</summary>
    void ReceivedBefore(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        Received(position, database, eventClass, eventName, key, fields, unixMilliseconds);

    /// <summary>Whether the event would be taken. A member of a group that does not deliver asks that, and keeps what is wanted.</summary>
    /// <param name="isBefore">It came before the last change of the configuration.</param>
    bool Wants(int database, EventClass eventClass, ReadOnlySpan<byte> key, bool isBefore) => true;

    /// <summary>Receives a notification that was wanted when it came, and was kept since then. What is wanted now does not matter.</summary>
    void Adopted(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        Received(position, database, eventClass, eventName, key, fields, unixMilliseconds);

    /// <summary>All notifications of one read have been passed on. Wakes the publisher once.</summary>
    void EndOfBatch();

    /// <summary>
    /// A mark behind everything that all feeds have passed on so far. Null if nothing more is accepted; the last events may then not have been
    /// accepted either.
    /// </summary>
    long? Mark() => 0;

    /// <summary>
    /// Whether everything in front of the mark is confirmed, stored, or counted as dropped. Then nothing of it would be lost with the program.
    /// </summary>
    bool IsSettled(long mark) => true;
}
