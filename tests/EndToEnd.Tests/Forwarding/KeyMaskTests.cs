// Which keys are forwarded?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

public sealed class KeyMaskTests(SharedBroker broker)
{
    [Fact]
    public async Task The_masks_mean_what_they_meant_to_the_module()
    {
        string[] keys = ["user:1", "user:22", "xuser:1", "abc", "abbbc", "ac", "a.c", "tail", "tail2", "\xff\xfe", "a\nb", "END"];
        (string Mask, string[] Matches)[] cases =
        [
            ("ALL", keys),
            ("^user:.*$", ["user:1", "user:22"]),
            ("^user:.$", ["user:1"]),
            ("user", ["user:1", "user:22", "xuser:1"]),
            ("ab*c", ["abc", "abbbc", "ac"]),
            ("tail$", ["tail"]),
            ("^\xff.$", ["\xff\xfe"]),
            ("^a.b$", ["a\nb"]),
            ("^a.c$", ["abc", "a.c"]),
            ("all", []),
        ];
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Masks = [] }, async stage =>
        {
            foreach (var (mask, matches) in cases)
            {
                Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", mask, "^mark$")).Text);
                stage.Consumer.Forget();
                await stage.CallAsync(["MSET", .. keys.SelectMany(key => new[] { key, "v" }), "mark", "v"]);
                await stage.Consumer.WaitForTextsAsync([.. matches.Append("mark").Select(key => "0\nset\n" + key)]);
            }
        });
    }

    [Fact]
    public async Task Several_masks_forward_what_any_of_them_matches_and_each_event_once()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Masks = ["^a", "b$", "^ab$"] }, async stage =>
        {
            await stage.CallAsync("MSET", "ab", "1", "ax", "1", "xb", "1", "xx", "1", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nab", "0\nset\nax", "0\nset\nxb", "0\nset\na");
            await stage.WaitForNumberAsync("ledger.filtered", filtered => filtered == 1);
        });
    }

    [Fact]
    public async Task Without_a_mask_nothing_is_forwarded()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Masks = [] }, async stage =>
        {
            await stage.CallAsync("MSET", "a", "1", "b", "1");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_add", "c")).Text);
            await stage.CallAsync("MSET", "a", "1", "c", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nc");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_clean")).Text);
            await stage.CallAsync("SET", "c", "1");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.keymask_set", "d")).Text);
            await stage.CallAsync("MSET", "c", "1", "d", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\nc", "0\nset\nd");
        });
    }

    [Fact]
    public async Task A_mask_that_ties_up_the_modules_matcher_takes_no_time()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "$", Masks = [".*a.*a.*a.*a.*a.*b", "^end$"] }, async stage =>
        {
            var key = new string('a', 100_000);
            for (var n = 0; n < 20; n++) await stage.CallAsync("SET", key, "v");
            await stage.CallAsync("MSET", key + "b", "v", "end", "v");
            await stage.Consumer.WaitForTextsAsync("0\nset\n" + key + "b", "0\nset\nend");
        });
    }
}
