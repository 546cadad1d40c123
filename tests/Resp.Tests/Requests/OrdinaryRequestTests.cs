// What is forwarded of ordinary requests, and when?
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class OrdinaryRequestTests
{
    public static TheoryData<string> Passing { get; } =
    [
        "*0\r\n",
        "*-1\r\n",
        "*-2\r\n",
        "*-10\r\n",
        "*-9223372036854775808\r\n",
        "\r\n",
        "\n",
        "  \t \r\n",
        "*1\r\n$0\r\n\r\n",
        "\"\"\r\n",
        "PING\r\n",
        "PING\n",
        "PING\r\r\n",
        "   PING   \r\n",
        "SET k \"a b\\x41\\n\\\"\" 'it\\'s'\r\n",
        "ECHO a\"b\"\r\n",
        "ECHO \"a\"\v'b'\r\n",
        "ECHO \"\\xzz\\x4\"\r\n",
        "set \"\"\"tes\"t-'k'e\"y\" \"\"\"tes\"t-'v'al\"ue\"\r\n",
        "\"se\"t k \"v\"w\r\n",
        "\"abc\r\n",
        "'abc\n",
        "'a'b\r\n",
        "\"PING\"\vx\r\n",
        "SET k \"a\\\r\n",
        "\"key_evt\r\n",
        "'key_evt_amqp\\x2einfo'\r\n",
        "*0\r\nPING\r\n\r\n*-1\r\n*-77\r\n*1\r\n$4\r\nPING\r\n",
        Latin1.Request("SET", "key:123456", new string('v', 32)),
        Latin1.Request("SET", "k", "\r\n$5\r\n*3\r\n"),
        Latin1.Request("SET", "", ""),
        Latin1.Request("GET", "k") + Latin1.Request("SET", "k", new string('v', 1234)) + "PING\r\n" + Latin1.Request("DEL", "k"),
        Latin1.Request([.. Enumerable.Repeat("MSET", 150)]),
        Latin1.Request("key_evt_amqp", "x"),
        Latin1.Request("A_NAME_THAT_IS_LONGER_THAN_SIXTEEN_BYTES", "x"),
        Latin1.Request("modules"),
        Latin1.Request("POSTS") + Latin1.Request("HOST") + Latin1.Request("pos") + Latin1.Request("xpost"),
    ];

    public static TheoryData<string> Foreign { get; } =
    [
        "POST / HTTP/1.1\r\n",
        "post\n",
        "Host: localhost:6379\r\n",
        "\"p\\x6fst\" x\r\n",
        Latin1.Request("PoSt"),
        Latin1.Request("host:", "x"),
        Latin1.Request("POST\0x"),
    ];

    [Theory]
    [MemberData(nameof(Passing))]
    public void An_ordinary_stream_is_forwarded_as_it_came_in_any_pieces(string stream)
    {
        var bytes = Latin1.Bytes(stream);
        foreach (var cuts in Cuts.All(bytes.Length))
        {
            var driver = FramerDriver.Run(bytes, cuts);
            Assert.Null(driver.Error);
            Assert.False(driver.Foreign);
            Assert.Empty(driver.Candidates);
            Assert.True(driver.Framer.AtRequestBoundary);
            Assert.Equal(stream, Latin1.Text([.. driver.Forwarded]));
        }
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public void A_foreign_protocol_stops_the_stream_in_front_of_it(string stream)
    {
        var front = Latin1.Request("GET", "k");
        var bytes = Latin1.Bytes(front + stream + front);
        foreach (var cuts in Cuts.All(bytes.Length))
        {
            var driver = FramerDriver.Run(bytes, cuts);
            Assert.True(driver.Foreign);
            Assert.Equal(front, Latin1.Text([.. driver.Forwarded]));
            Assert.Throws<InvalidOperationException>(() => driver.Framer.Scan("PING\r\n"u8));
        }
    }

    [Fact]
    public void The_filter_is_asked_once_a_request_for_the_first_16_bytes_of_the_name()
    {
        var stream = Latin1.Bytes(
            Latin1.Request("get", "k") + Latin1.Request("ABCDEFGHIJKLMNOPQRST", "1", "2") + "*0\r\n\r\n" + "echo hi\r\n" + Latin1.Request(""));
        foreach (var cuts in Cuts.All(stream.Length))
        {
            Assert.Equal(
                [new Asked("get", 3, 2), new Asked("ABCDEFGHIJKLMNOP", 20, 3), new Asked("echo", 4, IRequestFilter.UnknownCount), new Asked("", 0, 1)],
                FramerDriver.Run(stream, cuts).Asked);
        }
    }

    [Fact]
    public void Bytes_are_held_back_until_the_name_is_known()
    {
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        Assert.Equal(new FrameStep(10, 0, FrameStop.NeedMore), framer.Scan("*2\r\n$3\r\nGE"u8));
        Assert.False(framer.AtRequestBoundary);
        Assert.Equal(new FrameStep(1, 11, FrameStop.NeedMore), framer.Scan("T"u8));
    }

    [Fact]
    public void A_bodys_bytes_are_released_as_they_come_and_its_end_only_when_it_is_right()
    {
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        Assert.Equal(13, framer.Scan("*2\r\n$3\r\nGET\r\n"u8).Released);
        Assert.Equal(0, framer.Scan("$1000"u8).Released);
        Assert.Equal(0, framer.Scan("\r"u8).Released);
        Assert.Equal(7, framer.Scan("\n"u8).Released);
        Assert.Equal(999, framer.Scan(new byte[999]).Released);
        Assert.Equal(1, framer.Scan("x\r"u8).Released);
        Assert.Equal(2, framer.Scan("\n"u8).Released);
        Assert.True(framer.AtRequestBoundary);
    }

    [Fact]
    public void An_inline_line_is_held_back_until_the_end_of_its_first_word()
    {
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        Assert.Equal(0, framer.Scan("  'SE"u8).Released);
        Assert.Equal(0, framer.Scan("T'"u8).Released);
        Assert.Equal(8, framer.Scan(" "u8).Released);
        Assert.Equal(5, framer.Scan("k \"v\r"u8).Released);
        Assert.False(framer.AtRequestBoundary);
        Assert.Equal(1, framer.Scan("\n"u8).Released);
        Assert.True(framer.AtRequestBoundary);
    }

    [Fact]
    public void An_inline_line_is_held_back_for_sixteen_bytes_of_its_first_word_at_most()
    {
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        Assert.Equal(0, framer.Scan("\"\\x61bcdefghijklmno"u8).Released);
        Assert.Equal(20, framer.Scan("p"u8).Released);
    }

    [Fact]
    public void A_word_that_servers_end_at_different_places_is_asked_about_for_each()
    {
        foreach (var (line, names) in new (string, string[])[]
        {
            ("\"PING\"\vx y\r\n", ["PING", "PING\vx"]),
            ("\"PI\"NG\vx y\r\n", ["PING\vx"]),
            ("'PING'\f\r\n", ["PING", "PING\f"]),
            ("'PING' \v\r\n", ["PING"]),
            ("\"\"\v\n", ["", "\v"]),
        })
        {
            foreach (var cuts in Cuts.All(line.Length))
            {
                Assert.Equal(names, FramerDriver.Run(Latin1.Bytes(line), cuts).Asked.Select(asked => asked.NameHead));
            }
        }
    }

    [Fact]
    public void A_steady_stream_allocates_nothing()
    {
        var stream = Latin1.Bytes(Latin1.Request("SET", "k", new string('v', 300)) + "PING\r\n" + Latin1.Request("GET", "k"));
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        framer.Scan(stream);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            framer.Scan(stream);
            framer.Scan(stream.AsSpan(0, 33));
            framer.Scan(stream.AsSpan(33));
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
