using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed do where it may not do everything? It goes on with what it may, and says in plain words what to grant.</summary>
[Trait("Needs", "servers")]
public class NodeFeedAccessTests
{
    private const string Canary = "c4nary-p4ssw0rd";

    [Fact]
    public async Task A_user_without_CONFIG_ROLE_and_INFO_still_gets_events_and_is_told_what_to_grant()
    {
        await using var rig = await WithUserAsync("+hello +ping +subscribe +psubscribe +publish &__keyevent@*__:* &__keyevt__:marker", "notify-keyspace-events KEA");
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "a", "b");
        await Eventually.TrueAsync("the event", () => rig.Sink.Keys.Contains("a"));
        await Eventually.TrueAsync("a marker", () => rig.Feed.Status.MarkersSeen > 2);

        var status = rig.Feed.Status;
        Assert.Contains("CONFIG GET is refused: set notify-keyspace-events to include 'EA'", status.RemedyText, StringComparison.Ordinal);
        Assert.Contains("+config|get", status.RemedyText, StringComparison.Ordinal);
        Assert.Contains("+role", status.RemedyText, StringComparison.Ordinal);
        Assert.Contains("+info", status.RemedyText, StringComparison.Ordinal);
        Assert.Equal((NodeRole.Unknown, "", "7.0.15"), (status.Role, status.RunId, status.RedisVersion));
        Assert.Equal(0ul, status.Position.RunId); // the same for all members of the group
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task Where_CONFIG_SET_is_refused_and_flags_are_missing_the_remedy_names_them_and_the_span_is_a_gap()
    {
        await using var rig = await WithUserAsync("+@all -config|set allchannels");
        await rig.SubscribedAsync();

        await Eventually.TrueAsync("a gap", () => rig.Gaps.Open == 1);
        Assert.Contains("CONFIG SET is refused", rig.Feed.Status.RemedyText, StringComparison.Ordinal);

        await rig.RedisAsync("CONFIG", "SET", "notify-keyspace-events", "AE");
        await rig.GapClosedAsync();
        Assert.Null(rig.Feed.Status.RemedyText);
    }

    [Theory]
    [InlineData("+@all -publish allchannels", "PUBLISH __keyevt__:marker is refused")]
    [InlineData("+@all resetchannels &__keyevent@*__:*", "SUBSCRIBE __keyevt__:marker is refused")]
    public async Task Where_the_channel_is_refused_to_a_program_that_may_be_alone_PING_takes_its_place(string rules, string remedy)
    {
        await using var rig = await WithUserAsync(rules, mayBeAlone: true);
        await rig.SubscribedAsync();

        await Eventually.TrueAsync("two markers", () => rig.Feed.Status.MarkersSeen >= 2);
        var marker = rig.Feed.Status.Position.Marker;
        await Eventually.TrueAsync("the position to move", () => rig.Feed.Status.Position.Marker > marker);
        await rig.RedisAsync("SET", "a", "b");
        await Eventually.TrueAsync("the event", () => rig.Sink.Keys.Contains("a"));

        Assert.Contains(remedy, rig.Feed.Status.RemedyText, StringComparison.Ordinal);
        Assert.Equal(0, rig.Feed.Status.Reconnects);

        rig.Server.Freeze();
        await rig.StateAsync(FeedState.Silent);
        rig.Server.Thaw();
        await rig.StateAsync(FeedState.Subscribed);
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task With_the_one_pattern_that_is_granted_expired_and_evicted_come_too()
    {
        await using var rig = await FeedRig.PrepareAsync(address => address with { User = "low", Password = Canary });
        await rig.RedisAsync("ACL", "SETUSER", "low", "on", ">" + Canary, "+@all", "resetchannels", "&__keyevent@*__:*", "&__keyevt__:marker*");
        rig.Want(EventClass.Expired | EventClass.Evicted);
        rig.Feed.Start();
        await rig.SubscribedAsync();
        await rig.RedisAsync("SET", "a", "b", "PX", "1");
        await rig.KeysAsync("a");
        Assert.Null(rig.Feed.Status.RemedyText);
        Assert.Equal((1, 0), (rig.Sink.Entries.Count, rig.Gaps.Total));
    }

    [Fact]
    public async Task A_letter_that_Redis_lacks_leaves_the_others_and_is_said()
    {
        await using var rig = await FeedRig.StartAsync(EventClass.Expired | EventClass.Overwritten | EventClass.Fields);
        Assert.Equal(("xE", "oT"), (await rig.FlagsAsync(), rig.Feed.Status.LackingFlags));
        Assert.StartsWith("Redis 7", rig.Feed.Status.Server, StringComparison.Ordinal);
        await rig.RedisAsync("SET", "a", "b", "PX", "1");
        await rig.KeysAsync("a");
        rig.Want(EventClass.Expired);
        await Eventually.TrueAsync("nothing lacks", () => rig.Feed.Status is { IsInStep: true, LackingFlags: "", RemedyText: null });
        Assert.Equal(0, rig.Gaps.Total);
    }

    [Fact]
    public async Task A_refused_subscription_says_which_pattern_to_grant_and_succeeds_once_it_is()
    {
        await using var rig = await WithUserAsync("+@all resetchannels &__keyevt__:marker");

        await Eventually.TrueAsync("the remedy", () => rig.Feed.Status.RemedyText?.Contains("grant &__keyevent@*__:* and +psubscribe", StringComparison.Ordinal) == true);
        Assert.False(rig.Feed.Status.IsInStep);

        await rig.RedisAsync("ACL", "SETUSER", "low", "&__keyevent@*__:*");
        await rig.SubscribedAsync();
        Assert.Null(rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task R7_a_channel_taken_from_the_user_is_a_gap_until_it_is_given_back()
    {
        await using var rig = await WithUserAsync("+@all allchannels");
        await rig.SubscribedAsync();

        await rig.RedisAsync("ACL", "SETUSER", "low", "resetchannels");
        await Eventually.TrueAsync("an open gap and the remedy", () => rig.Gaps.Open == 1 && rig.Feed.Status.RemedyText is not null);
        await rig.RedisAsync("ACL", "SETUSER", "low", "allchannels");

        Assert.Equal(GapCause.ConnectionLost, (await rig.GapClosedAsync()).Cause);
    }

    [Theory]
    [InlineData("redis://low:wrong-c4nary-p4ssw0rd@", "the login as 'low' is refused")]
    [InlineData("redis://:wrong-c4nary-p4ssw0rd@", "the login as 'default' is refused")]
    public async Task A_refused_login_is_tried_slowly_and_the_password_is_in_no_text(string login, string reason)
    {
        await using var rig = await FeedRig.PrepareAsync(address => RedisAddress.Parse(address.ToString().Replace("redis://", login, StringComparison.Ordinal)));
        await rig.RedisAsync("ACL", "SETUSER", "low", "on", ">" + Canary, "+@all");
        await rig.RedisAsync("CONFIG", "SET", "requirepass", Canary);
        rig.Want(EventClass.String);
        rig.Feed.Start();

        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError?.StartsWith(reason, StringComparison.Ordinal) == true);

        Assert.Equal(FeedState.Down, rig.Feed.Status.State);
        Assert.NotNull(rig.Feed.Status.RemedyText);
        Assert.DoesNotContain(Canary, rig.Feed.Status.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Log.Lines, line => line.Contains(Canary, StringComparison.Ordinal));
        var text = rig.Address.ToString();
        Assert.DoesNotContain(Canary, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_wants_a_login_says_so()
    {
        await using var rig = await FeedRig.PrepareAsync(address => address, "requirepass " + Canary);
        rig.Feed.Start();

        await Eventually.TrueAsync("the remedy", () => rig.Feed.Status.RemedyText?.StartsWith("the server wants a login", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_login_by_password_alone_is_the_default_users()
    {
        await using var rig = await FeedRig.PrepareAsync(address => address with { Password = Canary }, "requirepass " + Canary);
        rig.Want(EventClass.String);
        rig.Feed.Start();

        await rig.SubscribedAsync();
    }

    private static Task<FeedRig> WithUserAsync(string rules, params string[] configuration) => WithUserAsync(rules, mayBeAlone: false, configuration);

    private static async Task<FeedRig> WithUserAsync(string rules, bool mayBeAlone, params string[] configuration)
    {
        var rig = await FeedRig.PrepareAsync(address => address with { User = "low", Password = Canary }, new NodeFeedOptions { MayBeAlone = mayBeAlone }, configuration);
        await rig.RedisAsync(["ACL", "SETUSER", "low", "on", ">" + Canary, .. rules.Split(' ')]);
        rig.Want(EventClass.All);
        rig.Feed.Start();
        return rig;
    }
}
