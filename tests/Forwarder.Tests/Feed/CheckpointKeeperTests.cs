using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>When is the state of a node's stream read and written, and what does the next run of the program declare from it? Over a scripted node, in virtual time.</summary>
public sealed class CheckpointKeeperTests : IAsyncDisposable
{
    private const string Key = "state";

    private static readonly ulong Run = 0xaaaaaaaaaaaaaaaa; // of the scripted node

    private readonly CheckpointRegistry _shelf = new(Key, "me");
    private readonly ScriptedNode _node = new();
    private readonly Dictionary<string, string> _stored = [];
    private ScriptedFeed? _made;
    private Func<string[], string?> _answer = _ => null;

    public CheckpointKeeperTests() => _node.Answer = command => _answer(command) ?? command[0] switch
    {
        "GET" => Stored(command[1]),
        "SET" => Store(command[1], command[2]),
        _ => null,
    };

    private ScriptedFeed Rig => _made ??= new ScriptedFeed(node: _node, shelf: _shelf);

    private Checkpoint State => Checkpoint.Parse(_stored[Key])!;

    public async ValueTask DisposeAsync() => await Rig.DisposeAsync();

    [Fact]
    public async Task The_first_run_declares_nothing_and_is_stored_from_its_beginning_on()
    {
        var began = Rig.Time.GetUtcNow();
        await Rig.StartAsync();
        await KeptAsync(1);

        Assert.Equal(0, Rig.Gaps.Total);
        Assert.Equal(("me", Run, 0), (State.Writer, State.Position.RunId, State.Position.Count));
        Assert.InRange(State.At, began, began.AddSeconds(1));
        Assert.Equal(1, Rig.Count("GET"));
    }

    [Theory]
    [InlineData("aaaaaaaaaaaaaaaa", "keyevt did not run")]
    [InlineData("bbbbbbbbbbbbbbbb", "keyevt did not run, and Redis has been started anew, or another node has taken its place")]
    public async Task What_was_missed_since_an_earlier_run_is_a_gap_up_to_the_subscription(string run, string detail)
    {
        var began = Rig.Time.GetUtcNow();
        _stored[Key] = $"1 {run}-5-3 {began.AddHours(-1).ToUnixTimeMilliseconds()} old";
        await Rig.StartAsync();
        await KeptAsync(1);

        var gap = Assert.Single(Rig.Gaps.Recent);
        Assert.Equal((GapCause.NotRunning, detail, TimeSpan.FromHours(1)), (gap.Cause, gap.Detail, gap.Duration));
        Assert.Equal((began.AddHours(-1), began), (gap.From, gap.To!.Value));
        Assert.Equal((5, 3, Run, 0), (gap.LastPosition.Marker, gap.LastPosition.Count, gap.FirstPosition!.Value.RunId, gap.FirstPosition!.Value.Count));
        Assert.Equal(("me", 1), (State.Writer, Rig.Count("GET")));
    }

    [Fact]
    public async Task Only_events_make_it_be_stored_again_and_not_within_a_second()
    {
        await Rig.StartAsync();
        await KeptAsync(1);
        var firstAt = Rig.Time.GetUtcNow();
        await Rig.AnsweredAsync(8);
        await Rig.Node.EventAsync(FallbackKey.Name);
        await Rig.AnsweredAsync(8);
        Assert.Equal(1, Sets);

        await EventAsync("a");
        await KeptAsync(2);
        var secondAt = Rig.Time.GetUtcNow();
        Assert.True(secondAt - firstAt >= TimeSpan.FromSeconds(4));
        await EventAsync("b");
        await KeptAsync(3);
        Assert.InRange(Rig.Time.GetUtcNow() - secondAt, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.75));
        await Rig.AnsweredAsync(8);
        Assert.Equal(3, Sets);
        Assert.Null(Rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task At_the_end_what_comes_behind_the_last_event_that_is_passed_on_is_not_passed_over()
    {
        await Rig.StartAsync();
        await EventAsync("a");
        await KeptAsync(2);
        _shelf.BeginDoubt(); // nothing is stored for a while
        await Rig.Feed.CatchUpAsync(TimeSpan.FromSeconds(5), isLast: true);
        var last = Rig.Feed.Status.Position;
        await Rig.Node.EventAsync("late");
        await Eventually.TrueAsync("the late event", () => Rig.Feed.Status.Position.Count == 1);
        _shelf.EndDoubt();
        await Rig.AnsweredUntilAsync("the last state", () => Sets == 3);
        Assert.Equal(["a"], Rig.Sink.Keys);
        Assert.Equal(last, State.Position);
    }

    [Fact]
    public async Task What_is_in_memory_only_is_not_stored_and_neither_is_what_nobody_takes()
    {
        Rig.Sink.IsUnsettled = true;
        await Rig.StartAsync();
        await Rig.AnsweredAsync(12);
        Assert.Equal(0, Sets);
        Rig.Sink.IsUnsettled = false;
        await KeptAsync(1);

        Rig.Sink.IsClosed = true;
        await EventAsync("a");
        await Rig.AnsweredAsync(12);
        Assert.Equal(1, Sets);
        Rig.Sink.IsClosed = false;
        await KeptAsync(2);
    }

    [Fact]
    public async Task What_is_safe_is_stored_though_later_events_are_not()
    {
        await Rig.StartAsync();
        await KeptAsync(1);
        await Rig.AnsweredAsync(8);
        Rig.Sink.SettledMark = 0;
        await EventAsync("a");
        await Rig.AnsweredAsync(2);
        await EventAsync("b");
        await Rig.AnsweredAsync(8);
        Assert.Equal(1, Sets);
        Rig.Sink.SettledMark = 1;
        await KeptAsync(2);
        var (a, b) = (Rig.Sink.Entries[0].Position, Rig.Sink.Entries[1].Position);
        Assert.True(State.Position.Marker >= a.Marker && State.Position.Marker < b.Marker + 1 && State.Position != b, $"{State.Position} is behind {a} and before {b}");
    }

    [Fact]
    public async Task Nothing_is_stored_before_a_later_look_has_found_the_flags_set()
    {
        await Rig.StartAsync();
        await KeptAsync(1);
        var isBusy = true;
        _answer = command => isBusy && command is ["CONFIG", "GET", ..] ? "-BUSY Redis is busy running a script\r\n" : null;
        await EventAsync("a");
        await Rig.AnsweredAsync(12);
        Assert.Equal(1, Sets);
        isBusy = false;
        await KeptAsync(2);
    }

    [Fact]
    public async Task Where_the_flags_cannot_be_looked_at_they_are_trusted()
    {
        _answer = command => command is ["CONFIG", "GET", ..] ? "-NOPERM this user has no permissions\r\n" : null;
        await Rig.StartAsync();
        await KeptAsync(1);

        await using var other = new ScriptedFeed(options => options with { NotifyMode = NotifyMode.Off }, _node, shelf: new CheckpointRegistry("other", "me"));
        await other.StartAsync();
        await other.AnsweredUntilAsync("the state", () => _stored.ContainsKey("other"));
    }

    [Theory]
    [InlineData("GET", "-NOPERM this user has no permissions", "grant +get +set ~state*, or start with --state off")]
    [InlineData("SET", "-NOPERM this user has no permissions", "grant +get +set ~state*, or start with --state off")]
    [InlineData("SET", "-OOM command not allowed", "start with --state off")]
    public async Task A_refusal_is_said_and_tried_again_after_half_a_minute(string command, string error, string advice)
    {
        var isRefused = true;
        _answer = given => isRefused && given[0] == command ? error + "\r\n" : null;
        await Rig.StartAsync();
        await Rig.AnsweredUntilAsync("the refusal", () => Rig.Feed.Status.RemedyText is not null);
        Assert.Equal($"{command} state is refused ({error[1..]}): {advice}; until then what is missed while keyevt does not run is not declared", Rig.Feed.Status.RemedyText);
        var refusedAt = Rig.Time.GetUtcNow();
        await Rig.AnsweredAsync(112);
        Assert.Equal(1, Rig.Count(command + " "));
        isRefused = false;
        await KeptAsync(1);
        Assert.InRange(Rig.Time.GetUtcNow() - refusedAt, TimeSpan.FromSeconds(29.5), TimeSpan.FromSeconds(31.5));
        await Eventually.TrueAsync("the remedy to be gone", () => Rig.Feed.Status.RemedyText is null);
    }

    [Theory]
    [InlineData("-ASK 1 other:6379")]
    [InlineData("-MOVED 1 other:6379")]
    [InlineData("-TRYAGAIN Multiple keys request during rehashing of slot")]
    [InlineData("-CLUSTERDOWN The cluster is down")]
    [InlineData("-READONLY You can't write against a read only replica.")]
    [InlineData("-LOADING Redis is loading the dataset in memory")]
    public async Task What_passes_by_itself_is_tried_again_after_a_second_and_is_no_refusal(string error)
    {
        var isRefused = true;
        _answer = given => isRefused && given[0] == "SET" ? error + "\r\n" : null;
        await Rig.StartAsync();
        await Rig.AnsweredUntilAsync("the error", () => Rig.Count("SET ") == 1);
        var refusedAt = Rig.Time.GetUtcNow();
        await Rig.AnsweredUntilAsync("the next attempt", () => Rig.Count("SET ") == 2);
        Assert.InRange(Rig.Time.GetUtcNow() - refusedAt, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        Assert.Null(Rig.Feed.Status.RemedyText);
        isRefused = false;
        await KeptAsync(1);
    }

    [Fact]
    public async Task What_was_missed_ends_with_the_subscription_also_where_the_state_is_read_later()
    {
        var began = Rig.Time.GetUtcNow();
        _stored[Key] = $"1 aaaaaaaaaaaaaaaa-5-3 {began.AddHours(-1).ToUnixTimeMilliseconds()} old";
        var isLoading = true;
        _answer = command => isLoading && command[0] == "GET" ? "-LOADING Redis is loading the dataset in memory\r\n" : null;
        Rig.Want(EventClass.All);
        Rig.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => Rig.Feed.Status.IsInStep);
        await Rig.Node.EventAsync("a");
        await Eventually.TrueAsync("the event", () => Rig.Feed.Status.Received == 1);
        await Rig.AnsweredAsync(8);
        Assert.True(Rig.Count("GET") > 1, "it is asked again");
        Assert.Equal((0, 0), (Sets, Rig.Sink.Entries.Count));
        isLoading = false;
        await KeptAsync(1);

        var gap = Assert.Single(Rig.Gaps.Recent);
        Assert.Equal(began, gap.To!.Value);
        var heard = Assert.Single(Rig.Sink.Entries).Position;
        Assert.True(gap.FirstPosition!.Value.Marker <= heard.Marker && gap.FirstPosition.Value.Count < heard.Count, "what was heard meanwhile is behind the gap");
        Assert.Null(Rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task That_the_state_may_not_be_read_is_said_also_while_it_can_be_written()
    {
        _answer = command => command[0] == "GET" ? "-NOPERM this user has no permissions\r\n" : null;
        await Rig.StartAsync();
        await Rig.AnsweredUntilAsync("the state to be written", () => Sets > 0);
        await Rig.AnsweredAsync(8);
        Assert.Contains("GET state is refused", Rig.Feed.Status.RemedyText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-MOVED 1 other:6379\r\n", true)]
    [InlineData("-CLUSTERDOWN The cluster is down\r\n", true)]
    [InlineData("-MOVED 1 other:6379\r\n", false)]
    public async Task A_state_that_another_node_has_is_asked_for_again_but_not_for_ever(string error, bool comes)
    {
        var began = Rig.Time.GetUtcNow();
        _stored[Key] = $"1 aaaaaaaaaaaaaaaa-5-3 {began.AddHours(-1).ToUnixTimeMilliseconds()} old";
        var isElsewhere = true;
        _answer = command => isElsewhere && command[0] == "GET" ? error : null;
        Rig.Want(EventClass.All);
        Rig.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => Rig.Feed.Status.IsInStep);
        await Rig.AnsweredUntilAsync("another question", () => Rig.Count("GET") == 2);
        Assert.Equal((0, 0), (Sets, Rig.Gaps.Total));
        isElsewhere = !comes;
        await KeptAsync(1);
        Assert.Equal(comes ? 1 : 0, Rig.Gaps.Total);
        Assert.InRange(Rig.Time.GetUtcNow() - began, TimeSpan.FromMilliseconds(comes ? 250 : 5000), TimeSpan.FromMilliseconds(comes ? 4500 : 9000));
        Assert.Null(Rig.Feed.Status.RemedyText);
    }

    [Theory]
    [InlineData("$7\r\ngarbage\r\n")]
    [InlineData("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")]
    public async Task Something_else_under_the_key_is_said_and_replaced(string found)
    {
        _answer = command => command[0] == "GET" ? found : null;
        await Rig.StartAsync();
        await KeptAsync(1);
        Assert.Single(Rig.Log.Lines, line => line.StartsWith("Warning 2021", StringComparison.Ordinal));
        Assert.Equal((0, 1), (Rig.Gaps.Total, Rig.Count("GET")));
    }

    [Fact]
    public async Task Nothing_is_stored_while_nothing_is_wanted_or_of_a_replica()
    {
        Rig.Want(EventClass.None);
        Rig.Feed.Start();
        await Rig.StateAsync(FeedState.Subscribed);
        await Rig.AnsweredAsync(80); // the role is asked for twice
        Assert.Equal(0, Sets);
        _answer = command => command[0] == "ROLE" ? "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n" : null;
        await Rig.AnsweredUntilAsync("the feed to be held back", () => Rig.Feed.Status.State == FeedState.HeldBack);
        Rig.Want(EventClass.All);
        await Eventually.TrueAsync("the subscription", () => Rig.Feed.Status.IsInStep);
        await Rig.AnsweredAsync(12);
        Assert.Equal(0, Sets);

        _answer = _ => null;
        await KeptAsync(1);
    }

    [Fact]
    public async Task While_something_is_not_known_yet_nothing_is_stored()
    {
        _shelf.BeginDoubt();
        await Rig.StartAsync();
        await Rig.AnsweredAsync(8);
        Assert.Equal(0, Sets);
        _shelf.AreNodesInDoubt = static () => true;
        _shelf.EndDoubt();
        await Rig.AnsweredAsync(8);
        Assert.Equal(0, Sets);
        _shelf.AreNodesInDoubt = static () => false;
        await KeptAsync(1);

        _answer = command => command is ["CONFIG", "SET", ..] ? "-NOPERM this user has no permissions\r\n" : null;
        Rig.Node.Flags = "";
        await Rig.AnsweredUntilAsync("the gap", () => Rig.Gaps.Open == 1);
        await EventAsync("a");
        await Rig.AnsweredAsync(12);
        Assert.Equal(1, Sets);
    }

    [Fact]
    public async Task While_flags_may_have_been_away_nothing_is_stored()
    {
        var given = 0;
        _answer = command => command is ["INFO", "commandstats"] ? ScriptedNode.Bulk($"cmdstat_config|get:calls={Rig.Count("CONFIG GET")},usec=1\r\ncmdstat_config|set:calls={given},usec=1\r\n") : null;
        await Rig.StartAsync();
        await KeptAsync(1);
        await Rig.AnsweredAsync(2);
        await EventAsync("a");
        for (var look = 0; look < 12; look++)
        {
            given += 2;
            await Rig.AnsweredAsync();
        }

        Assert.Equal((1, 0), (Sets, Rig.Gaps.Open)); // the doubt is no gap yet
        await KeptAsync(2);
    }

    private int Sets { get; set; }

    private string Stored(string key) => _stored.TryGetValue(key, out var value) ? ScriptedNode.Bulk(value) : "_\r\n";

    private string Store(string key, string value)
    {
        _stored[key] = value;
        Sets++;
        return "+OK\r\n";
    }

    private async Task EventAsync(string key)
    {
        var count = Rig.Sink.Entries.Count;
        await Rig.Node.EventAsync(key);
        await Eventually.TrueAsync("the event", () => Rig.Sink.Entries.Count == count + 1);
    }

    private Task KeptAsync(int times) => Rig.AnsweredUntilAsync($"the state to be stored {times} times", () => Sets >= times);
}
