using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does an event cost in memory between the socket's buffer and the sink? Nothing.</summary>
public class NodeFeedAllocationTests
{
    [Theory]
    [InlineData(EventClass.All, "set", false)]
    [InlineData(EventClass.All | EventClass.Fields, "set", false)]
    [InlineData(EventClass.All | EventClass.Fields, "hset", true)]
    public async Task Reading_events_allocates_nothing(EventClass wanted, string name, bool hasFields)
    {
        const int Events = 100_000;
        var parts = new FeedParts(new CountingSink(), TimeProvider.System, new NodeFeedOptions { GroupBytes = 10_000 }, wanted);
        var subscriptions = new FeedSubscriptions(parts.Feed, parts.Commands, parts.Letters, () => wanted, _ => { }, () => { });
        subscriptions.Begin();
        var roles = new RoleMonitor(parts.Feed, parts.Commands, parts.Outlet, parts.Pace);
        var stream = new FeedFrameHandler(parts.Feed, parts.Commands, subscriptions, parts.Letters, roles, parts.Markers, parts.Outlet, parts.State, parts.Pace, parts.Group) { Counts = true };
        parts.TakeOffice(claim: 2);
        foreach (var pattern in FeedPatterns.Of(wanted, parts.Letters.Classes, new HashSet<string>()))
        {
            stream.Frame(Encoding.ASCII.GetBytes($">3\r\n$10\r\npsubscribe\r\n{ScriptedNode.Bulk(pattern)}:1\r\n"));
        }

        var message = $">4\r\n$8\r\npmessage\r\n{ScriptedNode.Bulk("__keyevent@*__:*")}{ScriptedNode.Bulk($"__keyevent@0__:{name}")}$8\r\nkey:1234\r\n";
        if (hasFields)
        {
            message += $">4\r\n$8\r\npmessage\r\n{ScriptedNode.Bulk("__subkeyevent@*__:*")}{ScriptedNode.Bulk($"__subkeyevent@0__:{name}")}{ScriptedNode.Bulk("8:key:1234|1:a,2:bc")}";
        }

        var one = Encoding.ASCII.GetBytes(message);
        byte[] many = [.. Enumerable.Repeat(one, Events).SelectMany(bytes => bytes)];
        var input = PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(many));
        await ReadOnceAsync(new FrameReader(PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(many[..(one.Length * 1000)])), stream, 1 << 20));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var reading = new FrameReader(input, stream, 1 << 20).RunAsync();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(reading.IsCompletedSuccessfully, "it ran on this thread");
        Assert.True(parts.Feed.Group.Member.IsHolder);
        Assert.Equal(Events + 1000, parts.Feed.Progress.Published.Received);
        Assert.True(allocated < Events, $"{allocated} bytes for {Events} events"); // the smallest object has 24; what happens once may happen here
    }

    private static Task ReadOnceAsync(FrameReader reader) => reader.RunAsync();

    private sealed class CountingSink : IEventSink
    {
        private long _bytes;

        public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
            _bytes += key.Length;

        public void EndOfBatch() => GC.KeepAlive(_bytes);
    }
}
