using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What is said to a node first, and what is made of its answers? Over a scripted node, in virtual time.</summary>
public sealed class NodeFeedLoginTests
{
    private const string TooOld = "this server does not speak RESP3: Redis 6 or later is needed";

    [Theory]
    [InlineData("redis://node", "HELLO 3")]
    [InlineData("redis://user:c4nary@node", "HELLO 3 AUTH user c4nary")]
    [InlineData("redis://:c4nary@node", "HELLO 3 AUTH default c4nary")]
    [InlineData("redis://user@node", "HELLO 3 AUTH user ")]
    public async Task The_greeting_has_the_login(string address, string greeting)
    {
        await using var rig = new ScriptedFeed(address: address);
        await rig.StartAsync();
        Assert.Equal([greeting, "CLIENT SETNAME keyevt-feed", "INFO"], rig.Node.Commands.Take(3));
        Assert.Null(rig.Feed.Status.RemedyText);
    }

    [Theory]
    [InlineData("redis://user:c4nary@node", "-WRONGPASS invalid username-password pair", "the login as 'user' is refused: wrong user or password, or the user is off")]
    [InlineData("redis://:c4nary@node", "-WRONGPASS invalid username-password pair", "the login as 'default' is refused: wrong user or password, or the user is off")]
    [InlineData("redis://node", "-NOAUTH HELLO must be called with the client already authenticated", "the server wants a login: give user and password in the address, redis://user:password@host:port")]
    [InlineData("redis://user:c4nary@node", "-NOPERM this user has no permissions", "the user 'user' may not HELLO: grant +hello")]
    [InlineData("redis://node", "-NOPERM this user has no permissions", "the user 'default' may not HELLO: grant +hello")]
    [InlineData("redis://node", "-DENIED Redis is running in protected mode", "the server is in protected mode: it has no password and takes local connections only")]
    [InlineData("redis://node", "-NOPROTO unsupported protocol version", TooOld)]
    [InlineData("redis://node", "-ERR unknown command 'HELLO'", TooOld)]
    public async Task A_refusal_is_explained_and_tried_again_slowly(string address, string error, string text)
    {
        await using var rig = new ScriptedFeed(address: address);
        var isRefused = true;
        rig.Node.Answer = command => isRefused && command[0] == "HELLO" ? error + "\r\n" : null;
        rig.Want(EventClass.All);
        rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError is not null);

        Assert.Equal((text, text, FeedState.Down), (rig.Feed.Status.LastError, rig.Feed.Status.RemedyText, rig.Feed.Status.State));
        await Eventually.TrueAsync("the pause", () => rig.Time.Asked.Contains(new NodeFeedOptions().RefusedBackoff));
        isRefused = false;
        await rig.AnsweredUntilAsync("the subscription", () => rig.Feed.Status is { IsInStep: true, RemedyText: null });
        Assert.Equal(0, rig.Feed.Status.Reconnects);
    }

    [Fact]
    public async Task After_a_refusal_the_password_file_is_read_again_and_what_is_wrong_with_it_is_told()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "old", TestContext.Current.CancellationToken);
        var node = new ScriptedNode { Answer = command => command is ["HELLO", _, _, _, var password] && password != "new" ? "-WRONGPASS invalid\r\n" : null };
        await using var rig = new ScriptedFeed(node: node);
        var address = RedisAddress.Parse("redis://node") with { Password = Secret.FromFile(file) };
        await using var feed = new NodeFeed(address, new NodeFeedOptions(), rig.Sink, rig.Gaps, rig.Time, rig.Log, new GroupOfOne().Membership, null, node);
        File.Delete(file);
        feed.Want(EventClass.All);
        feed.Start();
        await rig.BeatUntilAsync("what is wrong", () => feed.Status.RemedyText == "the login as 'default' is refused: wrong user or password, or the user is off; the password file could not be read again: which cannot be read: there is no such file");
        await File.WriteAllTextAsync(file, "new", TestContext.Current.CancellationToken);
        await rig.BeatUntilAsync("the subscription", () => feed.Status is { IsInStep: true, RemedyText: null });
        File.Delete(file);
    }

    [Fact]
    public async Task Any_other_error_is_shown_and_is_nobodys_fault()
    {
        await using var rig = new ScriptedFeed();
        rig.Node.Answer = command => command[0] == "HELLO" ? "-ERR max number of clients reached\r\n" : null;
        rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError is not null);
        Assert.Equal("the server does not let us in: ERR max number of clients reached", rig.Feed.Status.LastError);
        Assert.Null(rig.Feed.Status.RemedyText);
    }

    [Fact]
    public async Task What_INFO_and_HELLO_tell_is_shown()
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = ("redis", "7.0.15") });
        await rig.StartAsync();
        var status = rig.Feed.Status;
        Assert.Equal((new string('a', 40), "7.0.15", "Redis 7.0.15", false), (status.RunId, status.RedisVersion, status.Server, status.IsCluster));
        Assert.Equal(0xaaaaaaaaaaaaaaaa, status.Position.RunId);
        Assert.Equal(("redis://node:6379", NodeRole.Master, "AKE"), (status.Node, status.Role, status.NotifyFlags));
        Assert.Equal(rig.Time.GetUtcNow(), status.SubscribedAt);
        Assert.Equal(rig.Time.GetUtcNow(), status.MasterSince);
    }

    [Fact]
    public async Task A_node_of_a_cluster_says_so()
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { IsCluster = true });
        rig.Want(EventClass.All);
        rig.Feed.Start();
        await Eventually.TrueAsync("the subscription", () => rig.Feed.Status.IsInStep);
        Assert.True(rig.Feed.Status.IsCluster);
    }

    [Fact]
    public async Task Valkey_that_calls_itself_Redis_in_its_greeting_is_known_by_INFO()
    {
        await using var rig = new ScriptedFeed();
        rig.Node.Answer = command => command is ["INFO"] ? ScriptedNode.Bulk("redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrun_id:" + new string('b', 40) + "\r\n") : null;
        await rig.StartAsync();
        Assert.Equal(("7.2.4", "Valkey 8.0.1"), (rig.Feed.Status.RedisVersion, rig.Feed.Status.Server));
    }

    [Theory]
    [InlineData("redis", "Redis 8.8.0")]
    [InlineData("", "Redis 7.0.0")]
    public async Task The_version_is_that_of_the_greeting_or_else_that_of_INFO(string product, string server)
    {
        await using var rig = new ScriptedFeed(node: new ScriptedNode { Server = (product, "8.8.0") });
        rig.Node.Answer = command => command is ["INFO"] ? ScriptedNode.Bulk($"redis_version:7.0.0\r\nrun_id:{new string('a', 40)}\r\n") : null;
        await rig.StartAsync();
        Assert.Equal(("7.0.0", server), (rig.Feed.Status.RedisVersion, rig.Feed.Status.Server));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // there are other nodes, so each has a number of its own
    public async Task Where_INFO_is_refused_all_members_number_the_node_alike_and_it_is_said_what_to_grant(bool hasSuccessors)
    {
        await using var rig = new ScriptedFeed(options => options with { HasSuccessors = hasSuccessors });
        rig.Node.Answer = command => command[0] == "INFO" ? "-NOPERM this user has no permissions\r\n" : null;
        await rig.StartAsync();
        var status = rig.Feed.Status;
        Assert.Equal("INFO is refused: grant +info; until then message ids do not name the node", status.RemedyText);
        Assert.Equal(("", "7.0.0", "Redis 7.0.0"), (status.RunId, status.RedisVersion, status.Server));
        Assert.Equal(hasSuccessors ? 0xc160090379fc2f30ul : 0, status.Position.RunId);
    }

    [Fact]
    public async Task A_node_that_answers_INFO_with_BUSY_is_not_ready()
    {
        await using var rig = new ScriptedFeed();
        rig.Node.Answer = command => command[0] == "INFO" ? "-BUSY Redis is busy running a script\r\n" : null;
        rig.Feed.Start();
        await Eventually.TrueAsync("the reason", () => rig.Feed.Status.LastError is not null);
        Assert.Equal("the node is not ready yet: BUSY Redis is busy running a script", rig.Feed.Status.LastError);
    }

    [Theory]
    [InlineData("allkeys-lru", "1000", true)]
    [InlineData("allkeys-lru", "0", false)]
    [InlineData("volatile-lru", "1000", false)]
    [InlineData("noeviction", "1000", false)]
    [InlineData(null, "1000", false)]
    [InlineData("allkeys-lru", null, false)]
    public async Task Eviction_of_all_keys_with_a_limit_is_a_danger_to_what_is_stored(string? policy, string? limit, bool isDanger)
    {
        await using var rig = new ScriptedFeed();
        var info = $"run_id:{new string('a', 40)}\r\n{(policy is null ? "" : $"maxmemory_policy:{policy}\r\n")}{(limit is null ? "" : $"maxmemory:{limit}\r\n")}";
        rig.Node.Answer = command => command is ["INFO"] ? ScriptedNode.Bulk(info) : null;
        await rig.StartAsync();
        Assert.Equal(
            isDanger ? "maxmemory-policy allkeys-lru with maxmemory 1000 may evict the fallback storage and the events in it: use noeviction or a volatile- policy, or accept that" : null,
            rig.Feed.Status.RemedyText);
    }
}
