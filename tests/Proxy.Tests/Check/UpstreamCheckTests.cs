using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Check;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Server;
using KeyEvt.Proxy.Tests.Session;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Check;

/// <summary>Is every state of an upstream told as it is, with a remedy, without changing anything there?</summary>
public sealed class UpstreamCheckTests : IAsyncDisposable
{
    private const string Refused = "-NOPERM this user has no permissions to run this command\r\n";

    private readonly ScriptedRedis _redis = new();
    private readonly FakeTimeProvider _time = new();
    private ProxyOptions _options = OptionPrecedence.Defaults();

    public UpstreamCheckTests() => Server(server => server with { Deadlines = server.Deadlines with { Connect = TimeSpan.FromSeconds(10) } });

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task Where_all_is_allowed_everything_works_and_nothing_is_written()
    {
        var rows = await RunAsync();
        Assert.All(rows, row => Assert.Equal(CheckOutcome.Works, row.Outcome));
        Assert.All(_redis.Commands.Where(command => command.StartsWith("SET", StringComparison.Ordinal)), command => Assert.EndsWith(" NX XX", command, StringComparison.Ordinal)); // which is never done
        Assert.DoesNotContain(_redis.Commands, command => command.StartsWith("CONFIG SET", StringComparison.Ordinal) && !command.Contains("keyevt-check", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("PING", "-NOAUTH Authentication required.\r\n", "log in", nameof(CheckOutcome.Fails), "NOAUTH Authentication required.")]
    [InlineData("PING", "-LOADING Redis is loading the dataset in memory\r\n", "PING", nameof(CheckOutcome.Fails), "LOADING")]
    [InlineData("PING", Refused, "PING", nameof(CheckOutcome.Works), "may not PING")]
    [InlineData("HELLO", "-ERR unknown command `HELLO`, with args beginning with: `2`, \r\n", "version", nameof(CheckOutcome.Fails), "older than 6")]
    [InlineData("HELLO", "*2\r\n$7\r\nversion\r\n$5\r\n5.0.1\r\n", "version", nameof(CheckOutcome.Fails), "5.0.1")]
    [InlineData("HELLO", "*4\r\n$7\r\nversion\r\n$5\r\n7.0.1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n", "mode", nameof(CheckOutcome.Warning), "only this node's events")]
    [InlineData("ROLE", Refused, "role", nameof(CheckOutcome.Warning), "NOPERM")]
    [InlineData("ROLE", "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n", "role", nameof(CheckOutcome.Warning), "slave: events of a replica are held back")]
    [InlineData("key_evt_amqp.", "-ERR unknown command\r\n", "key_evt_amqp.*", nameof(CheckOutcome.Fails), "cannot be answered by the proxy")]
    [InlineData("CONFIG GET", Refused, "notify-keyspace-events", nameof(CheckOutcome.Warning), "cannot be read: NOPERM")]
    [InlineData("CONFIG GET", "*2\r\n$22\r\nnotify-keyspace-events\r\n$1\r\nK\r\n", "notify-keyspace-events", nameof(CheckOutcome.Works), "what is missing for xeE will be added")]
    [InlineData("EVAL", Refused, "fallback storage", nameof(CheckOutcome.Fails), "NOPERM")]
    [InlineData("EVAL", "*2\r\n:0\r\n$11\r\nRPUSH LTRIM\r\n", "fallback storage", nameof(CheckOutcome.Fails), "not allowed: RPUSH LTRIM")]
    [InlineData("GET", Refused, "state", nameof(CheckOutcome.Warning), "NOPERM")]
    [InlineData("SET", Refused, "state", nameof(CheckOutcome.Warning), "NOPERM")]
    [InlineData("INFO", "$45\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n\r\n", "eviction", nameof(CheckOutcome.Warning), "allkeys-lru with maxmemory 100 may evict")]
    [InlineData("PUBLISH", Refused, "markers", nameof(CheckOutcome.Warning), "NOPERM")]
    [InlineData("PSUBSCRIBE", Refused, "subscribe", nameof(CheckOutcome.Fails), "NOPERM")]
    [InlineData("PSUBSCRIBE __keyevent@*__:expired", Refused, "subscribe", nameof(CheckOutcome.Works), "__keyevent@*__:*")]
    [InlineData("ACL GETUSER", Refused, "forged events", nameof(CheckOutcome.Note), "cannot tell whether the user default may publish on __keyevent@0__:expired: NOPERM")]
    [InlineData("ACL GETUSER", "-ERR unknown command `ACL`\r\n", "forged events", nameof(CheckOutcome.Note), "cannot tell")]
    [InlineData("ACL DRYRUN", "$2\r\nOK\r\n", "forged events", nameof(CheckOutcome.Warning), "may PUBLISH on __keyevent@0__:expired")]
    [InlineData("ACL DRYRUN", Refused, "forged events", nameof(CheckOutcome.Note), "cannot tell")]
    [InlineData("ACL GETUSER", "*2\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n", "forged events", nameof(CheckOutcome.Works), "the user default is off")]
    [InlineData("SUBSCRIBE", Refused, "subscribe", nameof(CheckOutcome.Warning), "NOPERM")]
    [InlineData("PING", "HTTP/1.1 400 Bad Request\r\n", "commands", nameof(CheckOutcome.Fails), "is this port Redis?")]
    public async Task What_does_not_work_is_named(string command, string answer, string what, string outcome, string finding)
    {
        _redis.Answer(command, answer);
        var rows = await RunAsync();
        Assert.Contains(rows, row => row.What == what && row.Outcome.ToString() == outcome && row.Finding.Contains(finding, StringComparison.Ordinal));
        Assert.All(rows.Where(row => row.Outcome == CheckOutcome.Fails), row => Assert.NotNull(row.Remedy));
    }

    [Theory]
    [InlineData("PUBLISH", "markers")]
    [InlineData("SUBSCRIBE", "subscribe")]
    public async Task A_member_of_a_group_cannot_do_without_its_channel(string command, string what)
    {
        Forwarder(forwarder => forwarder with { Group = "orders" });
        _redis.Answer(command, Refused);
        Assert.Contains(await RunAsync(), row => row.What == what && row is { Outcome: CheckOutcome.Fails, Remedy: not null });
    }

    [Theory]
    [InlineData("+@all", "*1\r\n$1\r\n*\r\n", nameof(CheckOutcome.Warning))] // 6.2
    [InlineData("+@all", "*1\r\n$5\r\napp:*\r\n", nameof(CheckOutcome.Note))]
    [InlineData("+@all -publish", "*1\r\n$1\r\n*\r\n", nameof(CheckOutcome.Note))]
    [InlineData("+@all", null, nameof(CheckOutcome.Warning))] // 6.0 has no rules for channels
    public async Task Where_nothing_can_be_tried_dry_only_what_is_certain_is_said_of_forgers(string commands, string? channels, string outcome)
    {
        _redis.Answer("ACL DRYRUN", "-ERR Unknown subcommand or wrong number of arguments for 'DRYRUN'. Try ACL HELP.\r\n");
        var more = channels is null ? "" : $"$8\r\nchannels\r\n{channels}";
        _redis.Answer("ACL GETUSER", $"*{(channels is null ? 4 : 6)}\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$8\r\ncommands\r\n${commands.Length}\r\n{commands}\r\n{more}");
        Assert.Equal(outcome, Assert.Single(await RunAsync(), row => row.What == "forged events").Outcome.ToString());
    }

    [Theory]
    [InlineData("7.0.15", EventClass.Overwritten, "o", nameof(CheckOutcome.Warning))]
    [InlineData("8.2.0", EventClass.Overwritten | EventClass.Fields, "T", nameof(CheckOutcome.Warning))]
    [InlineData("8.8.0", EventClass.Overwritten | EventClass.Fields | EventClass.Array, null, null)]
    public async Task A_letter_that_the_server_lacks_is_named(string version, EventClass more, string? lacking, string? outcome)
    {
        _redis.Answer("HELLO", $"*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n${version.Length}\r\n{version}\r\n");
        _redis.Answer("CONFIG GET", "*2\r\n$22\r\nnotify-keyspace-events\r\n$6\r\nxeoaTE\r\n");
        Forwarder(forwarder => forwarder with { Initial = forwarder.Initial with { Events = EventClass.Expired | EventClass.Evicted | more } });
        var rows = await RunAsync();
        var row = rows.SingleOrDefault(row => row.What == "event flags");
        Assert.Equal(outcome, row?.Outcome.ToString());
        if (lacking is not null) Assert.Contains($"has no '{lacking}'", row!.Finding, StringComparison.Ordinal);
        Assert.Equal(version == "8.8.0", rows.Any(row => row is { What: "subscribe", Finding: "__subkeyevent@*__:*" }));
        Assert.DoesNotContain(rows, row => row.Outcome == CheckOutcome.Fails);
    }

    [Fact]
    public async Task Valkey_is_asked_for_its_expired_fields_too()
    {
        _redis.Answer("INFO server", ScriptedRedis.Bulk("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n"));
        Assert.Contains(await RunAsync(), row => row is { What: "subscribe", Finding: "__keyevent@*__:hexpired" });
    }

    [Fact]
    public async Task Where_none_of_the_wanted_events_exist_that_fails()
    {
        Forwarder(forwarder => forwarder with { Initial = forwarder.Initial with { Events = EventClass.Overwritten } });
        Assert.Contains(await RunAsync(), row => row is { What: "event flags", Outcome: CheckOutcome.Fails });
    }

    [Theory]
    [InlineData("PSUBSCRIBE __keyspace@*__:*")]
    [InlineData("SUBSCRIBE __keyevent@0__:expired")]
    [InlineData("UNSUBSCRIBE")]
    [InlineData("PUNSUBSCRIBE")]
    public async Task What_merged_streams_need_is_tried_where_they_are_wanted(string command)
    {
        _redis.Answer(command, Refused);
        Server(server => server with { MergeKeyspace = true });
        var row = Assert.Single(await RunAsync(), row => row.Outcome != CheckOutcome.Works);
        Assert.Equal(("merged streams", CheckOutcome.Warning), (row.What, row.Outcome));
        Assert.StartsWith(command, row.Finding, StringComparison.Ordinal);
        Assert.Contains("+punsubscribe +ping &*", row.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SUBSCRIBE __keyevt__", "subscribe")]
    [InlineData("UNSUBSCRIBE", "merged streams")]
    public async Task Events_that_come_in_between_are_not_taken_for_a_reply(string command, string what)
    {
        _redis.Answer(command, "*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$1\r\nk\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nk\r\n" + Refused);
        Server(server => server with { MergeKeyspace = true });
        var row = Assert.Single(await RunAsync(), row => row.Outcome != CheckOutcome.Works);
        Assert.Equal(what, row.What);
        Assert.Contains("NOPERM", row.Finding, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_merged_streams_need_is_not_tried_where_they_are_not_wanted()
    {
        _redis.Answer("PUNSUBSCRIBE", Refused).Answer("UNSUBSCRIBE", Refused);
        Assert.All(await RunAsync(), row => Assert.Equal(CheckOutcome.Works, row.Outcome));
        Assert.DoesNotContain(_redis.Commands, command => command.Contains("UNSUBSCRIBE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_config_does_not_exist_somebody_must_be_named()
    {
        _redis.Answer("CONFIG", "-ERR unknown command 'CONFIG', with args beginning with: \r\n").Answer("CONFIG GET", "-ERR unknown command 'CONFIG'\r\n").Answer("CONFIG SET", "-ERR unknown command 'CONFIG'\r\n");
        var rows = await RunAsync();
        Assert.Contains(rows, row => row is { What: "who may control", Outcome: CheckOutcome.Warning, Remedy: "name the users that may use key_evt_amqp.* in --admin-users" });
    }

    [Theory]
    [InlineData(NotifyMode.Verify, "-ERR\r\n", "start with --notify-config manage")]
    [InlineData(NotifyMode.Manage, Refused, "ACL SETUSER default +config|set")]
    public async Task Missing_flags_that_will_not_be_added_are_a_failure(NotifyMode mode, string set, string remedy)
    {
        _redis.Answer("CONFIG GET", "*2\r\n$22\r\nnotify-keyspace-events\r\n$1\r\nK\r\n").Answer("CONFIG SET", set);
        Forwarder(forwarder => forwarder with { Feed = forwarder.Feed with { NotifyMode = mode } });
        var row = Assert.Single(await RunAsync(), row => row.Outcome == CheckOutcome.Fails);
        Assert.Equal("notify-keyspace-events", row.What);
        Assert.Contains(remedy, row.Remedy);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_node_of_a_cluster_must_tell_its_slots_and_has_a_channel_of_its_own(bool isRefused)
    {
        _redis.Answer("HELLO", "*4\r\n$7\r\nversion\r\n$5\r\n7.0.1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n");
        _redis.Answer("CLUSTER NODES", isRefused ? Refused : "$0\r\n\r\n");
        var rows = await RunAsync();
        Assert.Contains(rows, row => row is { What: "mode", Outcome: CheckOutcome.Warning });
        Assert.Equal(isRefused, rows.Any(row => row is { What: "slots", Outcome: CheckOutcome.Fails }));
        Assert.Contains(_redis.Commands, command => command.StartsWith("PUBLISH __keyevt__:marker:0000000000000000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_subscribes_to_what_a_run_would()
    {
        await RunAsync();
        Assert.Contains("PSUBSCRIBE __keyevent@*__:expired", _redis.Commands);
        Assert.DoesNotContain("PSUBSCRIBE __keyevent@*__:*", _redis.Commands);
    }

    [Fact]
    public async Task With_other_classes_it_subscribes_to_all_events()
    {
        Forwarder(forwarder => forwarder with { Initial = forwarder.Initial with { Events = EventClass.All } });
        await RunAsync();
        Assert.Contains("PSUBSCRIBE __keyevent@*__:*", _redis.Commands);
    }

    [Fact]
    public async Task Without_a_fallback_storage_its_rights_are_not_asked_for()
    {
        Forwarder(forwarder => forwarder with { KeepConfig = false, Initial = forwarder.Initial with { FallbackStorageSize = -1 } });
        Assert.Contains(await RunAsync(), row => row is { What: "fallback storage", Outcome: CheckOutcome.Note });
        Assert.DoesNotContain(_redis.Commands, command => command.StartsWith("EVAL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_state_its_rights_are_not_asked_for()
    {
        Forwarder(forwarder => forwarder with { KeepState = false, KeepConfig = false });
        Assert.Contains(await RunAsync(), row => row is { What: "state", Outcome: CheckOutcome.Note });
        Assert.DoesNotContain(_redis.Commands, command => command.StartsWith("GET", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET", nameof(CheckOutcome.Warning))]
    [InlineData("SET", nameof(CheckOutcome.Warning))]
    [InlineData("EVAL return", nameof(CheckOutcome.Warning))]
    [InlineData(null, nameof(CheckOutcome.Works))]
    public async Task In_a_group_the_rights_to_the_key_of_its_configuration_are_asked_for(string? refused, string outcome)
    {
        Forwarder(forwarder => forwarder with { Group = "orders", KeepConfig = true });
        if (refused is not null) _redis.Answer(refused, Refused);
        Assert.Contains(await RunAsync(), row => row.What == "configuration of the group" && row.Outcome.ToString() == outcome);
        Assert.Contains(_redis.Commands, command => command.StartsWith("GET", StringComparison.Ordinal) && command.EndsWith("-config:orders", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up_in_time()
    {
        _redis.Answer("PING", "");
        Server(server => server with { Deadlines = server.Deadlines with { Connect = TimeSpan.FromHours(1) } });
        var checking = RunAsync();
        await Eventually.TrueAsync(() => { _time.Advance(TimeSpan.FromMinutes(10)); return checking.IsCompleted; }, "it is given up");
        Assert.Contains(await checking, row => row is { Outcome: CheckOutcome.Fails, Finding: "no answer within 3600 s" });
    }

    [Fact]
    public async Task The_password_is_not_in_any_row()
    {
        _redis.Answer("AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        Forwarder(forwarder => forwarder with { Upstream = UpstreamAddress.Of(forwarder.Upstream.Seeds[0] with { User = "u", Password = "canary" }) });
        var rows = await RunAsync();
        Assert.Contains(rows, row => row is { What: "log in", Outcome: CheckOutcome.Fails });
        Assert.DoesNotContain(rows, row => row.ToString().Contains("canary", StringComparison.Ordinal));
    }

    private void Server(Func<ProxyServerOptions, ProxyServerOptions> change) => _options = _options with { Server = change(_options.Server) };

    private void Forwarder(Func<ForwarderOptions, ForwarderOptions> change) => _options = _options with { Forwarder = change(_options.Forwarder) };

    private Task<IReadOnlyList<CheckRow>> RunAsync()
    {
        _redis.Start();
        var node = _options.Forwarder.Upstream.Seeds[0] with { Host = "127.0.0.1", Port = _redis.Port };
        Forwarder(forwarder => forwarder with { Upstream = UpstreamAddress.Of(node) });
        return UpstreamCheck.RunAsync(_options, node, TlsClient.OfSystem("--upstream"), _time);
    }
}
