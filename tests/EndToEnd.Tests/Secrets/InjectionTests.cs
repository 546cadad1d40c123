// Can a line break in an argument, a key or a broker's text become a reply line of its own?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Secrets;

public sealed class InjectionTests(PlainProxy proxy, SharedBroker broker) : IClassFixture<PlainProxy>
{
    private const string Evil = "evil\r\n+INJECTED\r\n$3\r\nfoo\0";

    public static TheoryData<string[]> Requests => new()
    {
        { ["key_evt_amqp." + Evil] },
        { ["key_evt_amqp.config_set", Evil] },
        { ["key_evt_amqp.config_set", "127.0.0.1", Evil] },
        { ["key_evt_amqp.config_set", "127.0.0.1", "1", "u", "p", Evil] },
        { ["key_evt_amqp.config_set", "127.0.0.1", "1", "u", "p", "30", Evil, Evil, "3"] },
        { ["key_evt_amqp.config_set", "127.0.0.1", "1", "u", "p", "30", "e", "r", Evil] },
        { ["key_evt_amqp.connect", Evil] },
        { ["key_evt_amqp.events_set", Evil] },
        { ["key_evt_amqp.fallback_storage_size_set", Evil] },
        { ["key_evt_amqp.info", Evil] },
        { ["key_evt_amqp.config_get", Evil] },
        { ["key_evt_amqp.disconnect", Evil] },
        { ["MODULE", "LOAD", Evil + "redis_keyspace_amqp.so", Evil] },
        { ["key_evt_amqp.keymask_add", Evil] },
        { ["key_evt_amqp.keymask_get"] },
        { ["key_evt_amqp.keymask_clean"] },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Every_answer_is_one_whole_reply(string[] request)
    {
        await using var client = await proxy.Program.ConnectAsync();
        var reply = await client.CallAsync(request);
        if (reply.IsError) Assert.DoesNotContain(reply.Text, character => character is '\r' or '\n' or '\0');
        Assert.Equal("marker", (await client.CallAsync("ECHO", "marker")).Text);
    }

    [Fact]
    public async Task Names_with_line_breaks_do_not_break_info_or_metrics()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Queue = false }, async stage =>
        {
            var reply = await stage.CallAsync("key_evt_amqp.config_set", "127.0.0.1", $"{stage.Rabbit.Port}", "guest", "guest", "30", "x\r\nreceived:999999", "y\r\n# ledger");
            await stage.CallAsync("SET", "k", "v");
            await stage.WaitForNumberAsync("ledger.received", received => received is > 0 and < 10); // storing it is an event too
            Assert.All((await stage.CallAsync("key_evt_amqp.info")).Text.Split("\r\n"), line => Assert.DoesNotContain(line, character => character is '\n' or '\0'));
            Assert.DoesNotContain("received 999999", (await stage.Program.GetAsync("/metrics")).Body, StringComparison.Ordinal);
            Assert.Contains(reply.Type, "+-");
        });
    }

    [Fact]
    public async Task A_name_inside_a_value_is_never_run()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("key_evt_amqp.keymask_set", "kept");
        var inner = "*2\r\n$24\r\nkey_evt_amqp.keymask_set\r\n$5\r\nstolen\r\nkey_evt_amqp.keymask_set stolen\r\n";
        for (var padding = 0; padding < 50; padding++)
        {
            var value = new string('.', padding * 331) + inner;
            Assert.Equal("OK", (await client.CallAsync("SET", "v", value)).Text);
            Assert.Equal(value, (await client.CallAsync("GET", "v")).Text);
        }
        Assert.Equal(["kept"], (await client.CallAsync("key_evt_amqp.keymask_get")).Texts);
    }
}
