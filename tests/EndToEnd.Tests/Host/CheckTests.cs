// Does keyevt check say what works, what does not, and what to do?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

public sealed class CheckTests(SharedBroker broker)
{
    [Fact]
    [Trait("Against", "every-rabbitmq")]
    public async Task Where_all_works_it_ends_with_0()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync();
        var result = await CheckAsync("--upstream", redis.Url, "--amqp", rabbit.Url);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.NotEmpty(result.Output);
    }

    [Fact]
    public async Task The_nodes_behind_Sentinels_are_found_and_checked_one_by_one()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await SentinelServers.StartAsync();
        var result = await CheckAsync("--upstream", redis.Url, "--amqp", rabbit.Url);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains($"master redis://127.0.0.1:{redis.Nodes[0].Port}", result.Output, StringComparison.Ordinal);
        Assert.Contains($"replica redis://127.0.0.1:{redis.Nodes[1].Port}", result.Output, StringComparison.Ordinal);
        var wrong = await CheckAsync("--upstream", redis.Url.Replace("mymaster", "other", StringComparison.Ordinal), "--amqp", rabbit.Url);
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("No such master", wrong.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_is_away_is_named()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePorts.Take();
        var result = await CheckAsync("--upstream", redis.Url, "--amqp", $"amqp://guest:canary-secret@127.0.0.1:{port}/");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"127.0.0.1:{port}", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_for_the_broker_is_named()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync();
        var result = await CheckAsync("--upstream", redis.Url, "--amqp", rabbit.UrlWith(password: "canary-secret"));
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("canary", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redis_that_is_away_is_named()
    {
        var rabbit = await broker.GetAsync();
        var port = FreePorts.Take();
        var result = await CheckAsync("--upstream", $"redis://127.0.0.1:{port}", "--amqp", rabbit.Url);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"127.0.0.1:{port}", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Against", "every-rabbitmq")]
    public async Task A_missing_exchange_is_named()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync();
        var result = await CheckAsync("--upstream", redis.Url, "--amqp", rabbit.Url, "--exchange", "nosuch-exchange");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("nosuch-exchange", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Against", "every-redis")]
    public async Task Missing_rights_in_redis_are_named_with_the_remedy()
    {
        var rabbit = await broker.GetAsync();
        await using var redis = await RedisServer.StartAsync("user poor on >pw ~* +@all -config -psubscribe -subscribe resetchannels");
        var result = await CheckAsync("--upstream", $"redis://poor:pw@127.0.0.1:{redis.Port}", "--amqp", rabbit.Url);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("notify-keyspace-events", result.Output, StringComparison.Ordinal);
        Assert.Contains("ACL SETUSER", result.Output, StringComparison.OrdinalIgnoreCase);
    }

    private static Task<RunResult> CheckAsync(params string[] arguments) => KeyEvtProcess.RunAsync(["check", .. arguments, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
}
