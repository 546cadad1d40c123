using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A feed on a private Redis, in real time.</summary>
internal sealed class FeedRig : IAsyncDisposable
{
    private readonly GroupOfOne _alone = new();

    /// <summary>A feed on a Redis behind a port; not started.</summary>
    public static FeedRig Of(RedisServer server, int port) => new(server, RedisAddress.Parse($"redis://127.0.0.1:{port}"), new NodeFeedOptions(), null);

    private FeedRig(RedisServer server, RedisAddress address, NodeFeedOptions options, IEventSink? sink)
    {
        Server = server;
        Address = address;
        Feed = new NodeFeed(address, options, sink ?? Sink, Gaps, TimeProvider.System, Log, _alone.Membership);
    }

    public RedisServer Server { get; }

    public RedisAddress Address { get; }

    public RecordingSink Sink { get; } = new();

    public GapLog Gaps { get; } = new();

    public RecordingLogger Log { get; } = new();

    public NodeFeed Feed { get; }

    /// <summary>A Redis and a feed on it that is not started.</summary>
    public static Task<FeedRig> PrepareAsync(Func<RedisAddress, RedisAddress> login, params string[] configuration) => PrepareAsync(login, new NodeFeedOptions(), configuration);

    /// <summary>A Redis and a feed on it that is not started.</summary>
    public static async Task<FeedRig> PrepareAsync(Func<RedisAddress, RedisAddress> login, NodeFeedOptions options, params string[] configuration)
    {
        var server = await RedisServer.StartAsync(configuration);
        return new FeedRig(server, login(RedisAddress.Parse(server.Url)), options, null);
    }

    /// <summary>A Redis and a feed that is subscribed to what is wanted.</summary>
    public static async Task<FeedRig> StartAsync(
        EventClass wanted, Func<NodeFeedOptions, NodeFeedOptions>? change = null, IEventSink? sink = null, params string[] configuration)
    {
        var server = await RedisServer.StartAsync(configuration);
        var options = new NodeFeedOptions();
        var rig = new FeedRig(server, RedisAddress.Parse(server.Url), change?.Invoke(options) ?? options, sink);
        rig.Want(wanted);
        rig.Feed.Start();
        await rig.SubscribedAsync();
        return rig;
    }

    /// <summary>What the feed and the configuration of its group want.</summary>
    public void Want(EventClass classes)
    {
        _alone.Want(classes);
        Feed.Want(classes);
    }

    public async Task SubscribedAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await Feed.WaitSubscribedAsync(deadline.Token);
    }

    public Task RedisAsync(params string[] command) => Server.CallAsync(command);

    public async Task<string> FlagsAsync() => (await Server.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Items[1].Text;

    public Task StateAsync(FeedState state) => Eventually.ValueAsync($"the feed to be {state}", () => Task.FromResult(Feed.Status.State), seen => seen == state);

    public Task KeysAsync(params string[] keys) =>
        Eventually.ValueAsync($"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', Sink.Keys)), seen => seen == string.Join(' ', keys));

    public Task<Gap> GapClosedAsync() => Eventually.ValueAsync(
        "a closed gap", () => Task.FromResult(Gaps.Recent.FirstOrDefault(gap => !gap.IsOpen)!), gap => gap is not null);

    public async ValueTask DisposeAsync()
    {
        await Feed.DisposeAsync();
        await Server.DisposeAsync();
    }
}
