// Is each command's event in the class that Redis puts it in?
using System.Net;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Forwarding;

[Trait("Against", "every-redis")]
public sealed class EventClassTests(SharedBroker broker)
{
    private static readonly string[] Everything =
    [
        "SET s 1", "SETRANGE s 0 12", "APPEND s 3", "INCR s", "INCRBYFLOAT s 1.5", "SETBIT bits 1 1", "PFADD hll a",
        "EXPIRE s 1000", "PERSIST s", "RENAME s s2", "COPY s2 s3", "MOVE s3 1", "DEL s2",
        "LPUSH l a", "RPUSH l b", "LINSERT l AFTER a c", "LSET l 0 z", "LREM l 1 c", "LTRIM l 0 10", "LPOP l", "RPOP l", "RPUSH src 1", "SORT src STORE sorted",
        "SADD set a b", "SREM set a", "SPOP set", "SADD x a", "SINTERSTORE y x x", "SUNIONSTORE y x x", "SDIFFSTORE y x nosuch",
        "HSET h f 1", "HINCRBY h f 1", "HINCRBYFLOAT h f 1.5", "HDEL h f",
        "ZADD z 1 a 2 b 3 c 4 d 5 e", "ZINCRBY z 1 a", "ZREM z a", "ZREMRANGEBYSCORE z 2 2", "ZREMRANGEBYRANK z 0 0", "ZPOPMIN z", "ZPOPMAX z", "ZADD q 1 a", "ZUNIONSTORE w 1 q", "ZINTERSTORE w 1 q", "ZRANGESTORE w q 0 -1",
        "XADD st 1-1 f v", "XGROUP CREATE st g 0", "XGROUP CREATECONSUMER st g c", "XGROUP SETID st g 0", "XGROUP DELCONSUMER st g c", "XGROUP DESTROY st g", "XTRIM st MAXLEN 10", "XDEL st 1-1", "XSETID st 2-2",
        "GET nosuch",
    ];

    private static readonly string[] Generic = ["expire", "persist", "rename_from", "rename_to", "copy_to", "move_from", "move_to", "del"];
    private static readonly string[] Strings = ["set", "setrange", "append", "incrby", "incrbyfloat", "setbit", "pfadd"];
    private static readonly string[] Lists = ["lpush", "rpush", "linsert", "lset", "lrem", "ltrim", "lpop", "rpop", "sortstore"];
    private static readonly string[] Sets = ["sadd", "srem", "spop", "sinterstore", "sunionstore", "sdiffstore"];
    private static readonly string[] Hashes = ["hset", "hincrby", "hincrbyfloat", "hdel"];
    private static readonly string[] SortedSets = ["zadd", "zincr", "zrem", "zremrangebyscore", "zremrangebyrank", "zpopmin", "zpopmax", "zunionstore", "zinterstore", "zrangestore"];
    private static readonly string[] Streams = ["xadd", "xgroup-create", "xgroup-createconsumer", "xgroup-setid", "xgroup-delconsumer", "xgroup-destroy", "xdel", "xsetid"];

    public static TheoryData<string, string[]> Classes => new()
    {
        { "g", Generic },
        { "$", Strings },
        { "l", Lists },
        { "s", Sets },
        { "h", Hashes },
        { "z", SortedSets },
        { "t", Streams },
        { "m", ["keymiss"] },
        { "n", ["new"] },
        { "$z", [.. Strings, .. SortedSets] },
        { "A", [.. Generic, .. Strings, .. Lists, .. Sets, .. Hashes, .. SortedSets, .. Streams] },
        { "Amn", [.. Generic, .. Strings, .. Lists, .. Sets, .. Hashes, .. SortedSets, .. Streams, "keymiss", "new"] },
    };

    [Theory]
    [MemberData(nameof(Classes))]
    public async Task A_class_forwards_its_events_and_no_others(string flags, string[] events)
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = flags }, async stage =>
        {
            await using var client = await stage.ConnectAsync();
            foreach (var line in Everything)
            {
                await client.SendAsync(line + "\r\n");
                Assert.False((await client.ReadReplyAsync()).IsError, line);
            }
            await stage.WaitForNumberAsync("ledger.waiting_memory", waiting => waiting == 0);
            await EndMarkAsync(stage, client, flags);
            Assert.Equal(events.Order(), stage.Consumer.Received.Where(message => message.Key != "end").Select(message => message.Event).Distinct().Order());
        });
    }

    [Fact]
    public async Task Expired_and_evicted_are_the_default()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = null }, async stage =>
        {
            await stage.CallAsync("SET", "short", "v", "PX", "50");
            await stage.CallAsync("SET", "other", "v");
            await stage.CallAsync("DEL", "other");
            await stage.Consumer.WaitForTextsAsync("0\nexpired\nshort");

            await stage.CallAsync("SET", "first", new string('x', 1_000_000));
            await stage.CallAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
            await stage.CallAsync("CONFIG", "SET", "maxmemory", "1mb");
            await stage.Consumer.WaitForTextsAsync("0\nexpired\nshort", "0\nevicted\nfirst");
            Assert.Equal(0, await stage.NumberAsync("ledger.filtered"));
        });
    }

    [Fact]
    public async Task Classes_change_while_it_runs()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "x" }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.events_set", "g")).Text);
            await stage.CallAsync("SET", "b", "1");
            await stage.CallAsync("DEL", "b");
            await stage.Consumer.WaitForTextsAsync("0\ndel\nb");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.events_set", "$n")).Text);
            await stage.CallAsync("SET", "c", "1");
            await stage.CallAsync("DEL", "c");
            await stage.Consumer.WaitForTextsAsync("0\ndel\nb", "0\nnew\nc", "0\nset\nc");
            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.events_set", "xe")).Text);
            await stage.CallAsync("SET", "d", "1", "PX", "20");
            await stage.Consumer.WaitForTextsAsync("0\ndel\nb", "0\nnew\nc", "0\nset\nc", "0\nexpired\nd");
        });
    }

    [Fact]
    public async Task A_letter_that_Redis_lacks_stops_nothing_and_is_said_everywhere()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting { Events = "xeo" }, async stage =>
        {
            await stage.CallAsync("SET", "a", "1", "PX", "20");
            await stage.Consumer.WaitForTextsAsync("0\nexpired\na");
            var info = await stage.InfoAsync();
            Assert.Equal(("o", ""), (info["upstream.flags_lacking"], info["upstream.flags_fault"]));
            Assert.Contains("has no event flags 'o'", info["upstream.remedy"], StringComparison.Ordinal);
            var (status, text) = await stage.Program.GetAsync("/readyz");
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains("has no event flags 'o', all else is forwarded", text, StringComparison.Ordinal);
            var check = await KeyEvtProcess.RunAsync(["check", .. stage.Arguments(), "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
            Assert.Equal(0, check.ExitCode);
            Assert.Contains("has no 'o': those events do not exist there", check.Output, StringComparison.Ordinal);

            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.events_set", "o")).Text);
            await Eventually.TrueAsync("it not to be ready", async () => await stage.Program.GetAsync("/readyz") is (HttpStatusCode.ServiceUnavailable, var why) && why.Contains("none of the wanted events exist there", StringComparison.Ordinal));

            Assert.Equal("OK", (await stage.CallAsync("key_evt_amqp.events_set", "$")).Text);
            await stage.CallAsync("SET", "b", "1");
            await stage.Consumer.WaitForTextsAsync("0\nexpired\na", "0\nset\nb");
            Assert.Equal((HttpStatusCode.OK, "ready\n"), await stage.Program.GetAsync("/readyz"));
            Assert.Equal("", (await stage.InfoAsync())["upstream.remedy"]);
        });
    }

    [Fact]
    public async Task Events_that_nobody_but_a_forger_sends_are_counted_and_not_forwarded()
    {
        await Stage.RunAsync(await broker.GetAsync(), new StageSetting(), async stage =>
        {
            await stage.Redis.CallAsync("PUBLISH", "__keyevent@0__:set\u001b[2J", "evil");
            await stage.CallAsync("SET", "a", "1");
            await stage.Consumer.WaitForTextsAsync("0\nset\na");
            Assert.Equal("1", (await stage.InfoAsync())["upstream.notifications_refused"]);
        });
    }

    /// <summary>One more event of the class, so that all before it have arrived when it has.</summary>
    private static async Task EndMarkAsync(Stage stage, RespClient client, string flags)
    {
        await client.SendAsync(flags[0] switch
        {
            'g' => "SET end 1\r\nDEL end\r\n",
            'l' => "RPUSH end 1\r\n",
            's' => "SADD end 1\r\n",
            'h' => "HSET end f 1\r\n",
            'z' => "ZADD end 1 a\r\n",
            't' => "XADD end 1-1 f v\r\n",
            'm' => "GET end\r\n",
            _ => "SET end 1\r\n",
        });
        await Eventually.TrueAsync("the end mark", () => stage.Consumer.Received.Any(message => message.Key == "end"));
    }
}
