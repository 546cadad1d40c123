using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does an event cost in memory between the socket's buffer and the sink? Nothing.</summary>
public class NodeFeedAllocationTests
{
    [Fact]
    public async Task Events_allocate_nothing()
    {
        const int Events = 100_000;
        var feed = new FeedContext(
            new NodeFeedOptions { Address = RedisAddress.Parse("redis://node") },
            new CountingSink(),
            TimeProvider.System,
            NullLogger.Instance,
            new MarkerClock(TimeProvider.System),
            new FeedProgress(),
            new Coverage("node", new GapLog(), TimeProvider.System, NullLogger.Instance),
            new FlagProof(),
            new FeedRemedies("node", NullLogger.Instance),
            new FeedBoard(new NodeFeedStatus()),
            new HoldBack(new NodeFeedOptions { Address = RedisAddress.Parse("redis://node") }))
        {
            Tasks = new SideTasks(TimeProvider.System, (name, fault) => Assert.Fail($"{name}: {fault}")),
        };
        var commands = new FeedCommands(TimeProvider.System);
        var outlet = new EventOutlet(feed);
        var subscriptions = new FeedSubscriptions(feed, commands, () => EventClass.All, _ => { }, () => { });
        subscriptions.Begin();
        var markers = new MarkerSender(feed, commands);
        var state = new StateKeeper(feed, commands, () => EventClass.All, outlet, markers, new FlagKeeper(feed, commands, () => EventClass.All, () => { }));
        var stream = new FeedStream(feed, commands, subscriptions, new RoleKeeper(feed, commands, outlet), markers, outlet, state) { Counts = true };
        stream.Frame(">3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@*__:*\r\n:1\r\n"u8);
        byte[] one = Encoding.ASCII.GetBytes(">4\r\n$8\r\npmessage\r\n$16\r\n__keyevent@*__:*\r\n$18\r\n__keyevent@0__:set\r\n$8\r\nkey:1234\r\n");
        byte[] many = [.. Enumerable.Repeat(one, Events).SelectMany(bytes => bytes)];
        var input = PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(many));
        await ReadOnceAsync(new FrameReader(PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(many[..(one.Length * 1000)])), stream, 1 << 20));

        long before = GC.GetAllocatedBytesForCurrentThread();
        var reading = new FrameReader(input, stream, 1 << 20).RunAsync();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(reading.IsCompletedSuccessfully, "it ran on this thread");
        Assert.Equal(Events + 1000, feed.Progress.Published.Received);
        Assert.True(allocated < 1000, $"{allocated} bytes for {Events} events");
    }

    private static Task ReadOnceAsync(FrameReader reader) => reader.RunAsync();

    private sealed class CountingSink : IEventSink
    {
        private long _bytes;

        public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, long unixMilliseconds) =>
            _bytes += key.Length;

        public void EndOfBatch() => GC.KeepAlive(_bytes);
    }
}
