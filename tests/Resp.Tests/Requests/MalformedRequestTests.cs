// Which bytes are refused, with which text, at which byte?
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class MalformedRequestTests
{
    private const string Ping = "*1\r\n$4\r\nPING\r\n";

    /// <summary>Streams, the text and the offending byte; seen on Redis 7.0.15 where it refuses them too.</summary>
    public static TheoryData<string, string, int> Malformed { get; } = new()
    {
        // the count line
        { "*01\r\n", "invalid multibulk length", 2 },
        { "*+1\r\n", "invalid multibulk length", 1 },
        { "* 1\r\n", "invalid multibulk length", 1 },
        { "*1 \r\n", "invalid multibulk length", 2 },
        { "*\r\n", "invalid multibulk length", 1 },
        { "*-\r\n", "invalid multibulk length", 2 },
        { "*-0\r\n", "invalid multibulk length", 2 },
        { "*-01\r\n", "invalid multibulk length", 2 },
        { "*--1\r\n", "invalid multibulk length", 2 },
        { "*- 1\r\n", "invalid multibulk length", 2 },
        { "*-1 \r\n", "invalid multibulk length", 3 },
        { "*-9223372036854775809\r\n", "invalid multibulk length", 20 },
        { "*-99999999999999999999\r\n", "invalid multibulk length", 20 },
        { "*1\n$4\r\n", "invalid multibulk length", 2 },
        { "*1\rX$4\r\n", "invalid CRLF in request", 3 },
        { "*0\rX", "invalid CRLF in request", 3 },
        { "*1\0\r\n", "invalid multibulk length", 2 },
        { "*2147483648\r\n", "invalid multibulk length", 11 },
        { "*9223372036854775808\r\n", "invalid multibulk length", 20 },
        { "*9999999999999999999999\r\n", "invalid multibulk length", 23 },
        // the length line
        { "*1\r\nX4\r\nPING\r\n", "expected '$', got 'X'", 4 },
        { "*1\r\n'\r\n", "expected '$', got '''", 4 },
        { "*1\r\n\r\n", "expected '$', got ' '", 4 },
        { "*1\r\n\n", "expected '$', got ' '", 4 },
        { "*1\r\n\0", "expected '$', got ' '", 4 },
        { "*1\r\n\u00ff", "expected '$', got '?'", 4 },
        { "*2\r\n$3\r\nGET\r\n*1\r\n", "expected '$', got '*'", 13 },
        { "*1\r\n$04\r\n", "invalid bulk length", 6 },
        { "*1\r\n$+4\r\n", "invalid bulk length", 5 },
        { "*1\r\n$ 4\r\n", "invalid bulk length", 5 },
        { "*1\r\n$-1\r\n", "invalid bulk length", 5 },
        { "*1\r\n$\r\n", "invalid bulk length", 5 },
        { "*1\r\n$4\n", "invalid bulk length", 6 },
        { "*1\r\n$4\rXPING\r\n", "invalid CRLF in request", 7 },
        { "*1\r\n$536870913\r\n", "invalid bulk length", 14 },
        { "*1\r\n$99999999999999999999\r\n", "invalid bulk length", 25 },
        { "*2\r\n$3\r\nGET\r\n$:\r\n", "invalid bulk length", 14 },
        { "*2\r\n$3\r\nGET\r\n$1:\r\n", "invalid bulk length", 15 },
        { "*2\r\n$3\r\nGET\r\n$1a0\r\n", "invalid bulk length", 15 },
        // behind a body
        { "*1\r\n$4\r\nPINGXX", "invalid CRLF in request", 12 },
        { "*1\r\n$4\r\nPING\rX", "invalid CRLF in request", 13 },
        { "*1\r\n$4\r\nPING\n", "invalid CRLF in request", 12 },
        { "*1\r\n$0\r\nX", "invalid CRLF in request", 8 },
        { "*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n", "invalid CRLF in request", 18 },
        // inline
        { "module \"abc\r\n", "unbalanced quotes in request", 12 },
        { "module 'abc\n", "unbalanced quotes in request", 11 },
        { "module load 'a'b\r\n", "unbalanced quotes in request", 17 },
        { "module load 'a'\vb\r\n", "unbalanced quotes in request", 18 },
        { "module load \"a\"\"b\"\r\n", "unbalanced quotes in request", 19 },
        { "module load \"a\\\r\n", "unbalanced quotes in request", 16 },
        { "\"module\"\vload x\r\n", "unbalanced quotes in request", 16 },
        { "\"mod\"'ule' load x\r\n", "unbalanced quotes in request", 18 },
        { "'module\n", "unbalanced quotes in request", 7 },
        { "module lo\u00FFad\n", "unbalanced quotes in request", 12 },
        { "module a\0b\r\n", "zero byte in inline request", 8 },
        { "PING a\0b\r\n", "zero byte in inline request", 6 },
        { "PI\0NG\r\n", "zero byte in inline request", 2 },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_request_is_refused_with_its_text_in_any_pieces(string bad, string text, int offset)
    {
        foreach (var front in new[] { "", Ping, Ping + "SET k v\r\n*0\r\n" + Ping })
        {
            var stream = Latin1.Bytes(front + bad);
            foreach (var cuts in Cuts.All(stream.Length))
            {
                var driver = FramerDriver.Run(stream, cuts);
                Assert.Equal("Protocol error: " + text, driver.Error?.Message);
                Assert.Equal(front.Length + offset, driver.Error!.Offset);
                Assert.StartsWith(front, Latin1.Text([.. driver.Forwarded]));
                Assert.True(driver.Forwarded.Count <= front.Length + offset);
                if (cuts.Length == 0) Assert.Equal(front.Length, driver.Forwarded.Count);
            }
        }
    }

    [Theory]
    [InlineData("*", "too big mbulk count string")]
    [InlineData("*1\r\n$", "too big bulk count string")]
    [InlineData("", "too big inline request", ' ')]
    [InlineData("", "too big inline request", '"')]
    [InlineData("module ", "too big inline request")]
    public void A_line_without_an_end_that_is_held_is_refused_after_64_KiB(string start, string text, char filling = '1')
    {
        // The type byte counts as part of a header line.
        var line = start[(start.LastIndexOf('\n') + 1)..];
        var allowed = Latin1.Bytes(start + new string(filling, (64 * 1024) - line.Length));
        var driver = FramerDriver.Run(allowed, [100, 4096, 65530]);
        Assert.Null(driver.Error);
        Assert.Empty(driver.Forwarded);

        driver.Feed([(byte)filling]);
        Assert.Equal("Protocol error: " + text, driver.Error?.Message);
        Assert.Equal(allowed.Length, driver.Error?.Offset);
        Assert.Empty(driver.Forwarded);
    }

    /// <summary>Bytes next to the digits, in front of as many bytes as they would stand for if they were digits.</summary>
    [Theory]
    [InlineData("$:", 10)]
    [InlineData("$:0", 100)]
    [InlineData("$1:", 20)]
    [InlineData("$/", -1)]
    [InlineData("$1/", 9)]
    [InlineData("$00", 0)]
    [InlineData("$09", 9)]
    [InlineData("$10:", 110)]
    [InlineData("$010", 10)]
    public void A_length_that_is_no_number_is_refused_even_when_the_bytes_would_fit_it(string line, int length)
    {
        var front = "*2\r\n$3\r\nGET\r\n";
        var driver = FramerDriver.Run(Latin1.Bytes($"{front}{line}\r\n{new string('x', Math.Max(0, length))}\r\n"), []);
        Assert.Equal("Protocol error: invalid bulk length", driver.Error?.Message);
        Assert.Empty(driver.Forwarded);
    }

    [Theory]
    [InlineData("*:", 10)]
    [InlineData("*1:", 20)]
    [InlineData("*:0", 100)]
    [InlineData("*01", 1)]
    public void A_count_that_is_no_number_is_refused_even_when_the_arguments_would_fit_it(string line, int count)
    {
        var arguments = string.Concat(Enumerable.Repeat("$1\r\nx\r\n", count));
        var driver = FramerDriver.Run(Latin1.Bytes($"{line}\r\n{arguments}"), []);
        Assert.Equal("Protocol error: invalid multibulk length", driver.Error?.Message);
        Assert.Empty(driver.Forwarded);
    }

    [Fact]
    public void An_inline_line_that_is_not_held_may_be_of_any_length_for_the_server_judges_it()
    {
        var line = Latin1.Bytes("ECHO " + new string('A', 300_000) + "\n");
        var driver = FramerDriver.Run(line, [5, 30000, 70000]);
        Assert.Null(driver.Error);
        Assert.Equal(line.Length, driver.Forwarded.Count);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void An_inline_line_that_is_held_may_have_64_KiB_in_front_of_its_end(string end)
    {
        var line = Latin1.Bytes("key_evt_amqp.info " + new string(' ', 65536 - 18 - end.Length + 1) + end);
        Assert.Equal(65537, line.Length);
        foreach (var cuts in new int[][] { [], [7], [30000], [65535], [65536] })
        {
            var driver = FramerDriver.Run([.. line, .. "PING\r\n"u8], cuts);
            Assert.Equal("PING\r\n", Latin1.Text([.. driver.Forwarded]));
            Assert.Single(driver.Candidates);

            var longer = FramerDriver.Run([.. line[..20], (byte)' ', .. line[20..], .. "PING\r\n"u8], cuts);
            Assert.Equal("Protocol error: too big inline request", longer.Error?.Message);
            Assert.Equal(65536, longer.Error!.Offset);
            Assert.Empty(longer.Forwarded);
        }
    }

    [Fact]
    public void Announced_lengths_allocate_nothing()
    {
        var stream = Latin1.Bytes("*2147483647\r\n$3\r\nSET\r\n$536870912\r\nx");
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var step = framer.Scan(stream);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(new FrameStep(stream.Length, stream.Length, FrameStop.NeedMore), step);
    }

    [Fact]
    public void Nothing_is_scanned_behind_an_error()
    {
        var framer = new RespRequestFramer<NothingIsHeld>(RespLimits.Default, default);
        Assert.Throws<RespProtocolException>(() => framer.Scan("*01\r\n"u8));
        Assert.False(framer.AtRequestBoundary);
        Assert.Throws<InvalidOperationException>(() => framer.Scan("PING\r\n"u8));
    }
}
