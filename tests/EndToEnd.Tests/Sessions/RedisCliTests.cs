// Does redis-cli on the proxy's port see what it sees on Redis' own?
using System.Text;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Sessions;

[Trait("Concerns", "sessions")]
public sealed class RedisCliTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Fact]
    public async Task A_tour_of_all_types_prints_the_same_as_without_the_proxy()
    {
        string[] tour =
        [
            "FLUSHALL",
            "SET s hello EX 1000", "APPEND s \" world\"", "GETRANGE s 0 4", "STRLEN s", "SETBIT bits 7 1", "BITCOUNT bits", "INCR n", "INCRBYFLOAT n 1.5", "GETEX s PERSIST", "TTL s", "MSET a 1 b 2", "MGET a b c",
            "SET \"odd\\x00key\\r\\n\" \"\\xff\\xfe\"", "GET \"odd\\x00key\\r\\n\"",
            "RPUSH l 1 2 3", "LRANGE l 0 -1", "LPOP l", "LINSERT l BEFORE 3 x", "LPOS l x", "LMOVE l l2 LEFT RIGHT", "BLPOP l 1",
            "SADD set x", "SISMEMBER set x", "SCARD set", "SPOP set", "SMEMBERS set",
            "HSET h f 1 g 2", "HINCRBY h f 5", "HGETALL h", "HRANDFIELD h 0", "HDEL h f g",
            "ZADD z 1 one 2 two 3.5 three", "ZRANGE z 0 -1 WITHSCORES", "ZRANGEBYSCORE z (1 +inf", "ZPOPMIN z", "ZSCORE z three", "BZPOPMAX z 1",
            "XADD st 1-1 f v", "XADD st 1-2 f w", "XRANGE st - +", "XGROUP CREATE st g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS st >", "XACK st g 1-1", "XPENDING st g", "XLEN st",
            "PFADD hll a b c", "PFCOUNT hll", "GEOADD geo 13.361389 38.115556 Palermo", "GEOPOS geo Palermo", "GEOHASH geo Palermo",
            "MULTI", "SET t 1", "INCR t", "GET t", "EXEC", "MULTI", "SET t 9", "DISCARD", "WATCH t", "MULTI", "NOSUCHCOMMAND x", "EXEC", "GET t",
            "EVAL \"return {1,'two',{3,redis.call('get',KEYS[1])},false}\" 1 t", "EVAL \"return redis.error_reply('MY own error')\" 0", "SCRIPT LOAD \"return 1\"", "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
            "SELECT 5", "SET in5 x", "DBSIZE", "MOVE in5 6", "SELECT 6", "EXISTS in5", "SELECT 0",
            "TYPE s", "OBJECT ENCODING n", "RENAME a aa", "COPY b bb", "EXPIREAT b 9999999999", "SCAN 0 MATCH s COUNT 100", "SORT l2", "DEL s s", "LPUSH aa x", "GET", "SET", "CONFIG GET maxmemory", "PING", "PING hello", "ECHO \"\"",
            "HELLO 3", "HGETALL h", "ZRANGE z 0 -1 WITHSCORES", "GET nosuch", "HELLO 2", "GET nosuch", "RESET", "PING", "QUIT",
        ];

        var without = await proxy.Other.Cli.SessionAsync(tour);
        var through = await proxy.Program.Cli.SessionAsync(tour);

        Assert.Contains("hello world".Length.ToString(), without, StringComparison.Ordinal);
        Assert.Equal(Comparable(without), Comparable(through));
    }

    [Fact]
    public async Task A_command_of_keyevt_works_beside_those_of_redis()
    {
        var printed = await proxy.Program.Cli.SessionAsync("SET cli 1", "key_evt_amqp.fallback_storage_size_set 10000000", "GET cli", "KEY_EVT_AMQP.nosuch", "GET cli");
        var lines = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["OK", "OK", "1"], lines[..3]);
        Assert.StartsWith("ERR unknown subcommand", lines[3], StringComparison.Ordinal);
        Assert.Equal("1", lines[4]);
    }

    [Fact]
    public async Task Subscribe_prints_what_is_published()
    {
        using var subscriber = proxy.Program.Cli.Start("--csv", "SUBSCRIBE", "news", "weather");
        await subscriber.LineAsync("that it subscribed", line => line.Contains("\"subscribe\",\"weather\",2", StringComparison.Ordinal));
        for (var i = 0; i < 100; i++) Assert.Equal("1", await PublishAsync("news", $"item {i}"));
        await subscriber.LineAsync("the last item", line => line.Contains("item 99", StringComparison.Ordinal));
        var items = subscriber.OutputLines.Where(line => line.Contains("item", StringComparison.Ordinal)).ToArray();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"\"message\",\"news\",\"item {i}\""), items);
    }

    [Fact]
    public async Task Blpop_waits_for_a_push_by_another_client()
    {
        using var waiting = proxy.Program.Cli.Start("--csv", "BLPOP", "queue", "10");
        await Eventually.TrueAsync("a blocked client", async () => (await proxy.Redis.CallAsync("INFO", "clients")).Text.Contains("blocked_clients:1", StringComparison.Ordinal));
        await proxy.Program.CallAsync("RPUSH", "queue", "work");
        await waiting.LineAsync("what it popped", line => line == "\"queue\",\"work\"");
        Assert.Equal(0, await waiting.ExitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Monitor_prints_the_commands_of_others()
    {
        using var monitor = proxy.Program.Cli.Start("MONITOR");
        await monitor.LineAsync("OK", line => line == "OK");
        await proxy.Program.CallAsync("SET", "seen by monitor", "1");
        await monitor.LineAsync("the command", line => line.EndsWith("\"SET\" \"seen by monitor\" \"1\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pipe_mode_counts_every_reply()
    {
        var input = new MemoryStream();
        for (var i = 0; i < 50_000; i++) input.Write(RespClient.Command("SET", $"pipe:{i}", "value"));
        var result = await proxy.Program.Cli.RunWithAsync(["--pipe"], input.ToArray());
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("errors: 0, replies: 50000", result.Output, StringComparison.Ordinal);
        Assert.Equal("v", (await proxy.Redis.CallAsync("GETRANGE", "pipe:49999", "0", "0")).Text);
    }

    [Fact]
    public async Task Latin_and_binary_input_arrives_byte_for_byte()
    {
        var value = Encoding.Latin1.GetString([.. Enumerable.Range(0, 256).Select(i => (byte)i)]);
        var result = await proxy.Program.Cli.RunWithAsync(["-x", "SET", "bytes"], Encoding.Latin1.GetBytes(value));
        Assert.Equal("OK", result.Output.Trim());
        Assert.Equal(value, (await proxy.Redis.CallAsync("GET", "bytes")).Text);
    }

    private static string Comparable(string printed)
        // HELLO names the connection's id.
        => string.Join('\n', printed.Split('\n').Select((line, i) => i > 0 && printed.Split('\n')[i - 1].Trim().EndsWith("id", StringComparison.Ordinal) ? "(id)" : line.StartsWith("id ", StringComparison.Ordinal) ? "id (id)" : line));

    private async Task<string> PublishAsync(string channel, string message) => (await proxy.Program.CallAsync("PUBLISH", channel, message)).Text;
}
