using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is it declared what a node did while the program did not run? One life after the other, each with a feed of its own, on a private Redis.</summary>
[Trait("Needs", "servers")]
public sealed class NodeFeedStateTests : IAsyncDisposable
{
    private static readonly string Key = FallbackKey.StateOf("g");

    private readonly List<Life> _lives = [];
    private RedisServer? _server;

    private RedisServer Server => _server!;

    [Fact]
    public async Task P13_what_nobody_heard_between_two_lives_is_a_gap_not_running()
    {
        var first = await LiveAsync();
        await Server.CallAsync("SET", "heard", "x");
        await first.KeysAsync("heard");
        var heard = first.Heard[0].Position;
        await KeptAsync(state => state.Position.Marker > heard.Marker || (state.Position.Marker == heard.Marker && state.Position.Count >= heard.Count));
        await first.DieAsync();
        var missedAt = DateTimeOffset.UtcNow;
        await Server.CallAsync("SET", "missed", "x");

        var second = await LiveAsync();
        var gap = await second.GapAsync();
        await Server.CallAsync("SET", "after", "x");
        await second.KeysAsync("after");

        Assert.Equal((GapCause.NotRunning, 1L, 0), (gap.Cause, second.Gaps.Total, second.Gaps.Open));
        Assert.True(gap.From <= missedAt && gap.To >= missedAt, $"the gap holds the moment {missedAt:O}: {gap}");
        Assert.Equal(gap.Duration, gap.To - gap.From);
        Assert.True(gap.LastPosition.Marker >= heard.Marker, "the gap begins behind what was heard before");
        Assert.True(gap.FirstPosition!.Value.Marker <= second.Heard[0].Position.Marker, "the gap ends before what is heard now");
    }

    [Fact]
    public async Task P13_a_life_that_heard_nothing_is_known_of_as_well()
    {
        var first = await LiveAsync();
        Assert.Equal(0, first.Gaps.Total);
        await KeptAsync(_ => true);
        Assert.Equal(0, first.Gaps.Total);
        await first.DieAsync();

        var second = await LiveAsync();
        await second.GapAsync();
        await KeptAsync(state => state.Writer == second.Name);
        await second.DieAsync();
        var third = await LiveAsync();
        // A state has whole milliseconds, rounded down: the gap is never shorter than what was missed.
        Assert.True((await third.GapAsync()).From > second.StartedAt.AddMilliseconds(-1), "each life is kept from its beginning on");
    }

    [Fact]
    public async Task P13_a_restart_of_Redis_between_two_lives_is_part_of_the_gap()
    {
        var first = await LiveAsync("appendonly yes", "appendfsync always");
        await KeptAsync(_ => true);
        await first.DieAsync();
        await Server.RestartAsync();

        var gap = await (await LiveAsync()).GapAsync();
        Assert.Equal(GapCause.NotRunning, gap.Cause);
        Assert.Contains("Redis has been started anew", gap.Detail, StringComparison.Ordinal);
        Assert.NotEqual(gap.LastPosition.RunId, gap.FirstPosition!.Value.RunId);
    }

    [Fact]
    public async Task A_node_where_nothing_happens_is_not_written_to()
    {
        var life = await LiveAsync();
        await KeptAsync(_ => true);
        await life.BeatsAsync(8); // its own notification has come, and the time for the next one too
        var before = await SetsAsync();
        await life.BeatsAsync(8);
        Assert.Equal(before, await SetsAsync());

        await Server.CallAsync("DEL", "nothing");
        await Server.CallAsync("RPUSH", FallbackKey.Name, "entry");
        await life.BeatsAsync(8);
        Assert.Equal(before, await SetsAsync());
        await Server.CallAsync("RPUSH", "something", "entry");
        await Eventually.TrueAsync("the next state", async () => await SetsAsync() != before);
    }

    [Fact]
    public async Task What_is_in_memory_only_is_not_kept_as_heard()
    {
        var life = await LiveAsync();
        await KeptAsync(_ => true);
        life.Sink.IsUnsettled = true;
        await Server.CallAsync("SET", "a", "x");
        await life.KeysAsync("a");
        await life.BeatsAsync(8);
        Assert.Equal(0, (await StateAsync())!.Position.Count);

        life.Sink.IsUnsettled = false;
        await KeptAsync(state => state.Position.Marker >= life.Heard[0].Position.Marker);
    }

    [Fact]
    public async Task At_the_end_of_the_program_it_is_kept_once_more_though_nothing_has_come()
    {
        var life = await LiveAsync();
        await KeptAsync(_ => true);
        await life.BeatsAsync(4);
        var endsAt = DateTimeOffset.UtcNow.AddMilliseconds(-1);
        await life.Feed.CatchUpAsync(TimeSpan.FromSeconds(5), isLast: true);
        life.Sink.IsClosed = true;
        await Server.CallAsync("SET", "not-taken", "x");
        await life.Feed.Ending.KeepStateAsync(TimeSpan.FromSeconds(5));
        var kept = (await StateAsync())!;
        Assert.True(kept.At >= endsAt, $"kept {kept.At:O}, the end began {endsAt:O}");
        Assert.Equal(0, kept.Position.Count);
    }

    [Fact]
    public async Task Flags_that_were_away_are_not_passed_over_by_what_is_kept()
    {
        var life = await LiveAsync(mode: NotifyMode.Verify, configuration: "notify-keyspace-events AKE");
        await KeptAsync(_ => true);
        await Server.CallAsync("CONFIG", "SET", "notify-keyspace-events", "");
        await Eventually.TrueAsync("an open gap", () => life.Gaps.Open == 1);
        var from = life.Gaps.Recent[0].From;
        await life.BeatsAsync(8);
        Assert.True((await StateAsync())!.At <= from, "a life that ends now has declared no end of its gap: the next one's begins before it");
    }

    [Fact]
    public async Task Nothing_is_kept_while_nothing_is_wanted()
    {
        var life = await LiveAsync(wanted: EventClass.None);
        await Eventually.TrueAsync("some questions for the role", async () => await CallsAsync("role") >= 4);
        Assert.Null(await StateAsync());
        life.Feed.Want(EventClass.All);
        await KeptAsync(_ => true);
    }

    [Theory]
    [InlineData("-get", "GET")]
    [InlineData("-set", "SET")]
    public async Task A_refusal_is_said_and_the_feed_goes_on(string right, string command)
    {
        await StartServerAsync();
        await Server.CallAsync("ACL", "SETUSER", "low", "on", ">pass", "~*", "&*", "+@all", right);
        var life = await LiveAsync(user: "low");
        await Eventually.TrueAsync("the remedy", () => life.Feed.Status.RemedyText?.Contains($"{command} {Key} is refused", StringComparison.Ordinal) == true);
        Assert.Contains("+get +set", life.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Equal(FeedState.Subscribed, life.Feed.Status.State);
        await Server.CallAsync("SET", "a", "x");
        await life.KeysAsync("a");
    }

    [Fact]
    public async Task Something_else_under_the_key_is_said_and_replaced()
    {
        await StartServerAsync();
        await Server.CallAsync("RPUSH", Key, "somebody's");
        var life = await LiveAsync();
        await KeptAsync(_ => true);
        Assert.Contains(life.Log.Lines, line => line.StartsWith("Warning 2021", StringComparison.Ordinal));
        Assert.Equal(0, life.Gaps.Total);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var life in _lives) await life.DieAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    private async Task StartServerAsync(params string[] configuration) => _server ??= await RedisServer.StartAsync(configuration);

    private Task<Life> LiveAsync(params string[] configuration) => LiveAsync(EventClass.All, configuration: configuration);

    private async Task<Life> LiveAsync(EventClass wanted = EventClass.All, NotifyMode mode = NotifyMode.Manage, string? user = null, params string[] configuration)
    {
        await StartServerAsync(configuration);
        var address = RedisAddress.Parse(Server.Url);
        if (user is not null) address = address with { User = user, Password = "pass" };
        var options = new NodeFeedOptions { NotifyMode = mode, IdleInterval = TimeSpan.FromMilliseconds(250) };
        var life = new Life(address, options, $"life-{_lives.Count}");
        _lives.Add(life);
        life.Feed.Want(wanted);
        life.Feed.Start();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await life.Feed.WaitSubscribedAsync(deadline.Token);
        return life;
    }

    private async Task<Checkpoint?> StateAsync() => (await Server.CallAsync("GET", Key)) is { IsNull: false } reply ? Checkpoint.Parse(reply.Text) : null;

    private Task KeptAsync(Predicate<Checkpoint> isRight) =>
        Eventually.TrueAsync("the state to be kept", async () => await StateAsync() is { } state && isRight(state), TimeSpan.FromSeconds(10));

    /// <summary>How often somebody has said SET, as Redis counts it.</summary>
    private async Task<string> SetsAsync() => InfoText.Find((await Server.CallAsync("INFO", "commandstats")).Text, "cmdstat_set")!.Split(',')[0];

    private async Task<long> CallsAsync(string command) => InfoText.Find((await Server.CallAsync("INFO", "commandstats")).Text, "cmdstat_" + command) is { } found
        ? long.Parse(found.Split(',')[0].Split('=')[1], System.Globalization.CultureInfo.InvariantCulture)
        : 0;

    /// <summary>One life of a program: what is shared by its feeds, and the one feed.</summary>
    private sealed class Life
    {
        private readonly GroupOfOne _alone = new();

        public Life(RedisAddress address, NodeFeedOptions options, string name)
        {
            Name = name;
            Feed = new NodeFeed(address, options, Sink, Gaps, TimeProvider.System, Log, _alone.Membership) { Shelf = new CheckpointRegistry(Key, name) };
        }

        public string Name { get; }

        public DateTimeOffset StartedAt { get; } = DateTimeOffset.UtcNow;

        public RecordingSink Sink { get; } = new();

        /// <summary>Without the notifications of our own keys, which the real sink filters.</summary>
        public IReadOnlyList<RecordingSink.Entry> Heard => [.. Sink.Entries.Where(entry => !FallbackKey.Is(entry.KeyBytes))];

        public GapLog Gaps { get; } = new();

        public RecordingLogger Log { get; } = new();

        public NodeFeed Feed { get; }

        public Task KeysAsync(params string[] keys) => Eventually.ValueAsync(
            $"the keys {string.Join(' ', keys)}", () => Task.FromResult(string.Join(' ', Heard.Select(entry => entry.Key))), seen => seen == string.Join(' ', keys));

        public Task<Gap> GapAsync() => Eventually.ValueAsync("a gap", () => Task.FromResult(Gaps.Recent is [var first, ..] ? first : null!), gap => gap is not null);

        public Task BeatsAsync(int count)
        {
            var seen = Feed.Status.MarkersSeen;
            return Eventually.TrueAsync($"{count} markers", () => Feed.Status.MarkersSeen >= seen + count);
        }

        /// <summary>As by kill -9: nothing is done for the end.</summary>
        public Task DieAsync() => Feed.DisposeAsync().AsTask();
    }
}
