// Which sidecars act as one if nobody has named a group, and how does one alone fare?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

public sealed class DefaultGroupTests(SharedBroker broker)
{
    [Fact]
    public async Task Two_with_the_same_options_act_as_one_and_the_other_goes_on_when_one_is_killed()
    {
        await GroupTest.RunAsync(broker, GroupSetting.Lone with { Names = ["one", "two"] }, async (stage, run) =>
        {
            var holder = await stage.UnderWayAsync();
            Assert.StartsWith("to-", (await holder.ReportAsync()).Group, StringComparison.Ordinal);
            await stage.KillAsync(holder);
            await stage.HolderAsync(holder, GroupTest.Takeover);
            await run.MoreAsync(500);
            var verdict = await run.NothingIsMissingAsync();
            Assert.InRange(verdict.Duplicated, 0, GroupTest.MostTwice);
        });
    }

    [Fact]
    public async Task Two_that_serve_different_consumers_forward_everything_each()
    {
        var rabbit = await broker.GetAsync();
        await Stage.RunAsync(rabbit, new StageSetting(), async stage =>
        {
            await using var consumer = await EventConsumer.StartAsync(rabbit.Broker, stage.Queue + "-other");
            await using var other = await KeyEvtProcess.StartAsync(["--upstream", stage.Redis.Url, "--amqp", rabbit.Url, "--routing-key", consumer.Queue, "--events", "A", "--keymask", "ALL"]);
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            await consumer.WaitForTextsAsync("0\nset\na");
        });
    }

    [Theory]
    [InlineData("-publish")]
    [InlineData("-subscribe")]
    public async Task Who_may_not_speak_to_others_forwards_by_itself_and_says_what_is_missing(string lacking)
    {
        string[] redis = [$"user keyevt on >secret ~* &* +@all {lacking}"];
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Redis = redis, Login = ["keyevt", "secret"] }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            Assert.Contains("until then PING takes its place", (await stage.InfoAsync())["upstream.remedy"], StringComparison.Ordinal);
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", "^b")).Text);
            await stage.CallAsync("MSET", "a", "2", "b", "2");
            await stage.Consumer.WaitForTextsAsync("0\nset\na", "0\nset\nb");
        });
    }

    [Fact]
    public async Task What_commands_have_changed_outlives_a_restart_and_a_reset_brings_the_options_back()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Masks = ["^a"] }, async stage =>
        {
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", "^b")).Text);
            Assert.Equal(0, await stage.Program.StopAsync());
            Assert.EndsWith(" ended", (await stage.Redis.CallAsync("EVAL", "return redis.call('GET', redis.call('KEYS', '*-state:to-*')[1])", "0")).Text, StringComparison.Ordinal); // so the next start waits for nobody
            await stage.Program.RestartAsync();
            await stage.CallAsync("MSET", "a", "1", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.config_reset")).Text);
            await stage.CallAsync("MSET", "a", "2", "b", "2");
            await stage.Consumer.WaitForTextsAsync("0\nset\nb", "0\nset\na");
        });
    }
}
