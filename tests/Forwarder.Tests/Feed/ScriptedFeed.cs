using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A feed on a scripted node, in virtual time. A marker is sent each beat, whether events flow or not, unless that is what a test is about.</summary>
internal sealed class ScriptedFeed : IAsyncDisposable
{
    public static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    public ScriptedFeed(Func<NodeFeedOptions, NodeFeedOptions>? change = null, ScriptedNode? node = null)
    {
        Node = node ?? new ScriptedNode();
        var options = new NodeFeedOptions { QuietInterval = Beat };
        Feed = new NodeFeed(RedisAddress.Parse("redis://node"), change?.Invoke(options) ?? options, Sink, Gaps, Time, Log, Node);
    }

    public JumpingTime Time { get; } = new();

    public ScriptedNode Node { get; }

    public RecordingSink Sink { get; } = new();

    public RecordingLogger Log { get; } = new();

    public GapLog Gaps { get; } = new();

    public NodeFeed Feed { get; }

    public int Count(string command) => Node.Commands.Count(one => one.StartsWith(command, StringComparison.Ordinal));

    /// <summary>Subscribed to what is wanted, and the first marker has come back.</summary>
    public async Task StartAsync(EventClass wanted = EventClass.All)
    {
        Feed.Want(wanted);
        Feed.Start();
        await Eventually.TrueAsync("the subscription and the first marker", () => Feed.Status is { IsInStep: true, MarkersSeen: 1 });
    }

    /// <summary>Beats one after another, each when the marker of the one before has been sent.</summary>
    public async Task BeatAsync(int beats)
    {
        for (var i = 0; i < beats; i++)
        {
            var sent = Feed.Status.MarkersSent;
            Time.Advance(Beat);
            await Eventually.TrueAsync("the beat", () => Feed.Status.MarkersSent > sent);
        }
    }

    /// <summary>All markers that were sent have come back.</summary>
    public Task SeenAsync() => Eventually.TrueAsync("the markers", () => Feed.Status is var status && status.MarkersSeen == status.MarkersSent);

    public Task BeatUntilAsync(string what, Func<bool> condition) => Eventually.TrueAsync(what, () =>
    {
        if (condition()) return true;
        Time.Advance(Beat);
        return condition();
    });

    public Task KeysAsync(params string[] keys) =>
        Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', Sink.Keys)), seen => seen == string.Join(' ', keys));

    public Task StateAsync(FeedState state) => Eventually.ValueAsync($"the feed to be {state}", () => Task.FromResult(Feed.Status.State), seen => seen == state);

    public ValueTask DisposeAsync() => Feed.DisposeAsync();
}
