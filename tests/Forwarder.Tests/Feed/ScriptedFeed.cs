using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A feed on a scripted node, in virtual time. It is alone in its group, and marks each beat, whether events flow or not, unless that is what a test is about.</summary>
internal sealed class ScriptedFeed : IAsyncDisposable
{
    public static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    private readonly GroupOfOne _alone;

    /// <param name="group">Null: the feed's program is alone.</param>
    /// <param name="quiet">How often it then marks without events; null: each beat.</param>
    public ScriptedFeed(
        Func<NodeFeedOptions, NodeFeedOptions>? change = null, ScriptedNode? node = null, string address = "redis://node", CheckpointRegistry? shelf = null, bool cameLater = false,
        Neighbour? predecessor = null, Neighbour? successor = null, Func<string?>? stateTag = null, CoverageGate? clients = null, GroupMembership? group = null, TimeSpan? quiet = null)
    {
        _alone = new GroupOfOne(Beat, quiet);
        Node = node ?? new ScriptedNode();
        var options = new NodeFeedOptions { QuietInterval = Beat };
        Feed = new NodeFeed(RedisAddress.Parse(address), change?.Invoke(options) ?? options, Sink, Gaps, Time, Log, group ?? _alone.Membership, null, Node, clients)
        {
            Shelf = shelf,
            CameLater = cameLater,
            Predecessor = predecessor is null ? null : () => predecessor(),
            Successor = successor is null ? null : () => successor(),
            StateTag = stateTag,
        };
    }

    /// <summary>What another node has sent, as the feed asks for it.</summary>
    public delegate Task<IReadOnlyList<RecordedNotification>?> Neighbour();

    public JumpingTime Time { get; } = new();

    public ScriptedNode Node { get; }

    public RecordingSink Sink { get; } = new();

    public RecordingLogger Log { get; } = new();

    public GapLog Gaps { get; } = new();

    public NodeFeed Feed { get; }

    public int Count(string command) => Node.Commands.Count(one => one.StartsWith(command, StringComparison.Ordinal));

    /// <summary>What the feed and the configuration of its group want.</summary>
    public void Want(EventClass classes)
    {
        _alone.Want(classes);
        Feed.Want(classes);
    }

    /// <summary>Subscribed to what is wanted, and delivering, and the first mark has come back.</summary>
    public async Task StartAsync(EventClass wanted = EventClass.All)
    {
        Want(wanted);
        Feed.Start();
        await Eventually.TrueAsync("the subscription, the office and the first mark", () => Feed is { Status: { IsInStep: true, MarkersSeen: > 1 }, GroupStatus.IsHolder: true, Pulse.Waiting: 0 });
    }

    /// <summary>Beats one after another, each when the marker of the one before has been sent.</summary>
    public async Task BeatAsync(int beats)
    {
        for (var i = 0; i < beats; i++)
        {
            var (sent, before) = (Feed.Status.MarkersSent, Feed.Pulse.Beats);
            Time.Advance(Beat);
            await Eventually.TrueAsync("the beat", () => Feed.Status.MarkersSent > sent && Feed.Pulse.Beats > before);
        }
    }

    /// <summary>Beats one after another, each when everything that the one before has asked is answered.</summary>
    public async Task AnsweredAsync(int beats = 1)
    {
        for (var i = 0; i < beats; i++)
        {
            var before = Feed.Pulse.Beats;
            Time.Advance(Beat);
            await Eventually.SoonTrueAsync("the answers to a beat", () => Feed.Pulse is { Waiting: 0 } pulse && pulse.Beats > before);
        }
    }

    /// <summary>As <see cref="BeatUntilAsync"/>, but never without the answers to what was asked before: however slow the machine is, the node is not silent.</summary>
    public Task AnsweredUntilAsync(string what, Func<bool> condition) => Eventually.SoonTrueAsync(what, () =>
    {
        if (condition()) return true;
        if (Feed.Pulse.Waiting == 0) Time.Advance(Beat);
        return condition();
    });

    /// <summary>All markers that were sent have come back.</summary>
    public Task SeenAsync() => Eventually.TrueAsync("the markers", () => Feed.Pulse.Waiting == 0);

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
