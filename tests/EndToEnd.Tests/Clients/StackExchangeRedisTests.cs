// Does StackExchange.Redis work through the proxy, also while its connections are killed?
using System.Diagnostics;
using System.Globalization;
using System.Net;
using KeyEvt.EndToEnd.Tests.Support;
using StackExchange.Redis;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Clients;

public sealed class StackExchangeRedisTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Theory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    public async Task What_it_sees_is_the_same_as_without_the_proxy(RedisProtocol protocol)
        => Assert.Equal(await TourAsync(proxy.Other.Port, protocol), await TourAsync(proxy.Program.Port, protocol));

    /// <summary>
    /// HighIntegrity sends an ECHO of a random number behind each command and checks it, so an answer that is another command's shows at once. Here each answer is
    /// checked too: the value names its key.
    /// </summary>
    [Theory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    public async Task With_high_integrity_no_answer_is_ever_anothers_while_connections_are_killed(RedisProtocol protocol)
    {
        var options = Options(proxy.Program.Port, protocol);
        options.HighIntegrity = true;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        var database = connection.GetDatabase();
        await Parallel.ForAsync(0, 100, TestContext.Current.CancellationToken, async (n, _) => await database.StringSetAsync($"integrity:{n}", $"value of {n}"));

        var (answers, failures, kills) = (0L, 0L, 0);
        var wrong = "";
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var workers = Enumerable.Range(0, 20).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            while (!end.IsCancellationRequested)
            {
                var n = random.Next(100);
                try
                {
                    string? value = await database.StringGetAsync($"integrity:{n}");
                    Interlocked.Increment(ref answers);
                    if (value != $"value of {n}") wrong = $"{n}: {value}";
                }
                catch (Exception e) when (e is RedisConnectionException or RedisTimeoutException)
                {
                    Interlocked.Increment(ref failures);
                    await Task.Delay(5);
                }
            }
        })).ToArray();

        await using var killer = await proxy.Redis.ConnectAsync();
        while (!end.IsCancellationRequested)
        {
            var before = Interlocked.Read(ref answers);
            var list = (await killer.CallAsync("CLIENT", "LIST", "TYPE", "normal")).Text.Split('\n').Where(line => line.Contains("name=soak ", StringComparison.Ordinal)).ToArray();
            foreach (var line in list)
            {
                kills += (int)(await killer.CallAsync("CLIENT", "KILL", "ID", line.Split(' ')[0]["id=".Length..])).Integer;
            }

            var pause = Stopwatch.StartNew();
            while (Interlocked.Read(ref answers) < before + 2000 && pause.Elapsed < TimeSpan.FromSeconds(2) && !end.IsCancellationRequested)
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
        await Task.WhenAll(workers);

        Assert.Equal("", wrong);
        Assert.True(kills >= 3, $"only {kills} kills, {answers} answers, {failures} failures");
        Assert.True(answers > 1000, $"{answers} answers, {failures} failures, {kills} kills");
        TestContext.Current.TestOutputHelper?.WriteLine($"{answers} answers, {failures} failures, {kills} kills");
    }

    private static ConfigurationOptions Options(int port, RedisProtocol protocol) => new()
    {
        EndPoints = { new IPEndPoint(IPAddress.Loopback, port) },
        ClientName = "soak",
        Protocol = protocol,
        AllowAdmin = true,
        AbortOnConnectFail = false,
        ConnectRetry = 10,
        ReconnectRetryPolicy = new LinearRetry(20),
        AsyncTimeout = 5000,
    };

    private static async Task<List<string>> TourAsync(int port, RedisProtocol protocol)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(Options(port, protocol));
        var database = connection.GetDatabase(2);
        var seen = new List<string> { $"{connection.GetServers()[0].Version} {connection.GetServers()[0].ServerType}" };
        void Say(object? value) => seen.Add(string.Create(CultureInfo.InvariantCulture, $"{value}"));

        await connection.GetServers()[0].FlushDatabaseAsync(2);
        Say(await database.StringSetAsync("s", new string('s', 70_000)));
        Say(((string?)await database.StringGetAsync("s"))?.Length);
        var many = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => database.StringIncrementAsync("n")));
        Say(string.Join(',', many.Take(3)) + many[^1]);
        await database.HashSetAsync("h", [new("a", 1), new("b", 2)]);
        Say(string.Join(',', await database.HashGetAllAsync("h")));
        Say(await database.SortedSetAddAsync("z", [new("x", 1.5), new("y", double.PositiveInfinity)]));
        Say(string.Join(',', await database.SortedSetRangeByRankWithScoresAsync("z")));
        Say(await database.StreamAddAsync("st", "f", "v", "1-1"));
        Say((await database.StreamRangeAsync("st")).Length);

        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual("n", 10_000));
        var inside = transaction.StringIncrementAsync("n");
        Say(await transaction.ExecuteAsync());
        Say(await inside);
        var refused = database.CreateTransaction();
        refused.AddCondition(Condition.StringEqual("s", "not this"));
        _ = refused.StringSetAsync("n", "never");
        Say(await refused.ExecuteAsync());

        Say(await database.ScriptEvaluateAsync("return {KEYS[1], ARGV[1] * 2}", ["k"], [21]));
        try
        {
            await database.ScriptEvaluateAsync("return redis.error_reply('MY own')");
        }
        catch (RedisServerException e)
        {
            Say(e.Message);
        }

        var got = new List<string>();
        var all = new TaskCompletionSource();
        var subscriber = connection.GetSubscriber();
        await subscriber.SubscribeAsync(RedisChannel.Literal("news"), (_, message) =>
        {
            lock (got) // the library calls it from several threads at once
            {
                got.Add(message!);
                if (got.Count == 500) all.TrySetResult();
            }
        });
        for (var n = 0; n < 500; n++) await subscriber.PublishAsync(RedisChannel.Literal("news"), n);
        await all.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Say(string.Join(',', got.Order(StringComparer.Ordinal)));
        return seen;
    }
}
