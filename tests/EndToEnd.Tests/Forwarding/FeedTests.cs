// Does the feed set what it needs, leave what others need, and come back when it is lost?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Trait("Against", "every-redis")]
public sealed class FeedTests(SharedBroker broker)
{
    [Theory]
    [InlineData("", "$", "E$")]
    [InlineData("Kg", "$", "KEg$")]
    [InlineData("Ex", "xe", "Exe")]
    [InlineData("AKE", "xe", "AKE")]
    [InlineData("KEA", "m", "AKEm")]
    public async Task Missing_flags_are_added_to_those_of_others(string before, string events, string after)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = events, Before = redis => SetFlagsAsync(redis, before) }, async stage =>
            Assert.Equal(string.Concat(after.Order()), await FlagsAsync(stage.Redis)));
    }

    [Fact]
    public async Task A_flag_that_redis_does_not_print_stays_on()
    {
        // With A set Redis leaves n out of what it prints; writing back what was read would turn it off.
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Before = redis => SetFlagsAsync(redis, "AKEn") }, async stage =>
        {
            await using var other = await stage.Redis.ConnectAsync();
            await other.CallAsync("SUBSCRIBE", "__keyevent@0__:new");
            await stage.CallAsync("SET", "fresh", "1");
            var heard = (await other.ReadReplyAsync()).Texts;
            if (heard[2].StartsWith(Stage.FallbackKey, StringComparison.Ordinal))
            {
                heard = (await other.ReadReplyAsync()).Texts; // the program keeps its state in a key beside the list: new too
            }

            Assert.Equal(["message", "__keyevent@0__:new", "fresh"], heard);
            await stage.Consumer.WaitForTextsAsync("0\nset\nfresh");
        });
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("off")]
    public async Task Unless_it_manages_them_the_flags_stay_as_they_are(string mode)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--notify-config", mode], Before = redis => SetFlagsAsync(redis, "Kg"), WaitReady = false }, async stage =>
        {
            await SubscribedAsync(stage.Redis);
            Assert.Equal("Kg", await FlagsAsync(stage.Redis));
            await SetFlagsAsync(stage.Redis, "KEA");
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
        });
    }

    [Fact]
    public async Task Flags_that_somebody_takes_away_are_set_again_and_a_gap_is_declared()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            var gaps = await GapsAsync(stage);
            await SetFlagsAsync(stage.Redis, "");
            await Eventually.ValueAsync("the flags", () => FlagsAsync(stage.Redis), flags => flags == "AE");
            await Eventually.ValueAsync("a declared gap", () => GapsAsync(stage), now => now != gaps);
            await stage.CallAsync("SET", "after", "1");
            await Eventually.TrueAsync("events again", () => stage.Consumer.Received.Any(message => message.Key == "after"));
        });
    }

    [Fact]
    public async Task A_killed_subscription_comes_back_and_a_gap_is_declared()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            var gaps = await GapsAsync(stage);
            await stage.CallAsync("SET", "before", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore");
            Assert.True((await stage.Redis.CallAsync("CLIENT", "KILL", "TYPE", "pubsub")).Integer > 0);
            await Eventually.ValueAsync("a declared gap", () => GapsAsync(stage), now => now != gaps);
            await SubscribedAsync(stage.Redis);
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore", "0\nset\nafter");
        });
    }

    [Fact]
    public async Task A_restarted_redis_gets_its_flags_and_its_subscription_again()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            await stage.CallAsync("SET", "before", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore");
            await stage.Redis.KillAsync();
            await Eventually.ValueAsync("it to be not ready", () => stage.Program.GetAsync("/readyz"), answer => answer.Status != System.Net.HttpStatusCode.OK);
            await stage.Redis.RestartAsync();
            await stage.Program.ReadyAsync();
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nbefore", "0\nset\nafter");
            Assert.Equal(2, stage.Consumer.Received.Select(message => message.MessageId).Distinct().Count());
        });
    }

    [Fact]
    public async Task A_frozen_redis_is_noticed_and_served_again()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            stage.Redis.Freeze();
            await Eventually.ValueAsync("it to be not ready", () => stage.Program.GetAsync("/readyz"), answer => answer.Status != System.Net.HttpStatusCode.OK);
            stage.Redis.Thaw();
            await stage.Program.ReadyAsync();
            await stage.CallAsync("SET", "after", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nafter");
        });
    }

    [Fact]
    public async Task All_databases_are_forwarded_with_their_numbers()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Redis = ["databases 200"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendAsync("SELECT 0\r\nSET k 1\r\nSELECT 9\r\nSET k 1\r\nSELECT 199\r\nSET k 1\r\nSELECT 10\r\nDEL k\r\nSET k 1\r\nMOVE k 11\r\n");
            await stage.Consumer.WaitForTextsAsync("0\nset\nk", "9\nset\nk", "199\nset\nk", "10\nset\nk", "10\nmove_from\nk", "11\nmove_to\nk");
        });
    }

    [Fact]
    public async Task A_broker_that_is_away_never_slows_the_feed_or_the_clients()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { AmqpPort = FreePorts.Take(), Queue = false }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await Changes.SetAsync(client, "k", 50_000);
            await stage.WaitForNumberAsync("ledger.received", received => received >= 50_000);
            Assert.DoesNotContain("omem=1", (await stage.Redis.CallAsync("CLIENT", "LIST", "TYPE", "pubsub")).Text, StringComparison.Ordinal);
        });
    }

    private static Task SubscribedAsync(RedisServer redis)
        => Eventually.ValueAsync("the feed's subscription", () => redis.CallAsync("PUBSUB", "NUMPAT"), reply => reply.Integer > 0);

    private static Task SetFlagsAsync(RedisServer redis, string flags) => redis.CallAsync("CONFIG", "SET", "notify-keyspace-events", flags);

    private static async Task<string> FlagsAsync(RedisServer redis)
        => string.Concat((await redis.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Items[1].Text.Order());

    private static async Task<string> GapsAsync(Stage stage)
        => string.Join('\n', (await stage.InfoAsync()).Where(field => field.Key.StartsWith("gaps.", StringComparison.Ordinal)).Select(field => $"{field.Key}={field.Value}"));
}
