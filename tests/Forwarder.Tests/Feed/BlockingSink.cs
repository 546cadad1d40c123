using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A sink that breaks the rule never to wait: while closed it holds the read loop, as a machine without processor time would.</summary>
internal sealed class BlockingSink : IEventSink
{
    private readonly ManualResetEventSlim _open = new(true);
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public void Close() => _open.Reset();

    public void Open() => _open.Set();

    public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds)
    {
        _open.Wait(TimeSpan.FromSeconds(30));
        Interlocked.Increment(ref _count);
    }

    public void EndOfBatch()
    {
    }
}
