// Does a rule bring the events of its classes, database and keys, besides the masks?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class RuleTests(SharedBroker broker)
{
    [Fact]
    public async Task Rules_of_the_start_bring_just_what_they_name_and_redis_gets_their_flags()
    {
        var setting = new StageSetting { Events = "x", Masks = [], Options = ["--rule", "events=g db=2 mask=^session: ", "--rule", "events=$ mask==$"] };
        await Stage.RunAsync(await broker.GetAsync(), setting, async stage =>
        {
            Assert.Equal("$Eg", await FlagsAsync(stage));
            await using var client = await stage.ConnectAsync();
            await client.SendAsync(
                "SELECT 2\r\nSET \"session: a\" 1\r\nDEL \"session: a\"\r\nSET session:b 1\r\nDEL session:b\r\nSET q= 1\r\nDEL q=\r\n"
                + "SELECT 0\r\nSET \"session: c\" 1\r\nDEL \"session: c\"\r\nSET x= 1\r\n");
            await stage.Consumer.WaitForTextsAsync("2\ndel\nsession: a", "2\nset\nq=", "0\nset\nx=");
            Assert.Equal(["events=g db=2 mask=^session: ", "events=$ mask==$"], (await stage.CallAsync("key_evt_amqp.rule_get")).Texts);
        });
    }

    [Fact]
    public async Task Rules_come_and_go_while_it_runs_and_the_masks_stay_as_they_are()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Masks = ["^m:"] }, async stage =>
        {
            await stage.CallAsync("HSET", "h:1", "f", "v");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.rule_add", "events=h mask=^h:", "events=l db=1 mask=ALL")).Text);
            await stage.CallAsync("HSET", "h:2", "f", "v");
            await stage.CallAsync("SET", "m:1", "v");
            await stage.CallAsync("RPUSH", "l:1", "v");
            await stage.Consumer.WaitForTextsAsync("0\nhset\nh:2", "0\nset\nm:1");
            Assert.Equal("$Ehl", await FlagsAsync(stage));

            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.rule_clean")).Text);
            Assert.Empty((await stage.CallAsync("key_evt_amqp.rule_get")).Items);
            await stage.CallAsync("HSET", "h:3", "f", "v");
            await stage.CallAsync("SET", "m:2", "v");
            await stage.Consumer.WaitForTextsAsync("0\nhset\nh:2", "0\nset\nm:1", "0\nset\nm:2");
            Assert.Equal(["^m:"], (await stage.CallAsync("key_evt_amqp.keymask_get")).Texts);
        });
    }

    [Fact]
    public async Task A_rule_without_events_and_database_wants_all_of_A_everywhere()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Masks = [], Options = ["--rule", "mask=^r"] }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            await client.SendAsync("SET r 1\r\nSELECT 5\r\nHSET r2 f 1\r\nSET other 1\r\nDEL r2\r\n");
            await stage.Consumer.WaitForTextsAsync("0\nset\nr", "5\nhset\nr2", "5\ndel\nr2");
        });
    }

    [Fact]
    public async Task An_event_that_mask_and_rules_want_is_sent_once()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Options = ["--rule", "mask=^a", "--rule", "events=$ mask=ALL"] }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.CallAsync("SET", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb");
        });
    }

    [Fact]
    public async Task Rules_in_the_environment_are_one_a_line()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(
            ["--upstream", redis.Url], new Dictionary<string, string> { ["KEYEVT_RULE"] = "events=x db=1 mask=^a, b\nmask=c" });
        Assert.Equal(["events=x db=1 mask=^a, b", "events=A mask=c"], (await program.CallAsync("key_evt_amqp.rule_get")).Texts);
    }

    [Fact]
    public async Task A_wrong_rule_at_start_is_named_with_exit_code_2()
    {
        var result = await KeyEvtProcess.RunAsync(["run", "--rule", "events=q mask=a", "--rule", "db=x mask=a"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("'q'", result.Errors, StringComparison.Ordinal);
        Assert.Contains("db", result.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> FlagsAsync(Stage stage)
        => string.Concat((await stage.Redis.CallAsync("CONFIG", "GET", "notify-keyspace-events")).Items[1].Text.Order());
}
