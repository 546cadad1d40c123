// Which bytes are refused, with which text, at which byte?
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
        { "*1\rX$4\r\n", "invalid multibulk length", 3 },
        { "*0\rX", "invalid multibulk length", 3 },
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
        { "*1\r\n$4\rXPING\r\n", "invalid bulk length", 7 },
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
        { "\"abc\r\n", "unbalanced quotes in request", 5 },
        { "'abc\n", "unbalanced quotes in request", 4 },
        { "'a'b\r\n", "unbalanced quotes in request", 5 },
        { "\"a\"b\r\n", "unbalanced quotes in request", 5 },
        { "SET k \"a\\\r\n", "unbalanced quotes in request", 10 },
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
    [InlineData("", "too big inline request")]
    public void A_line_without_an_end_is_refused_after_64_KiB(string start, string text)
    {
        // The type byte counts as part of a header line.
        var lineBytes = start.Length == 0 ? 0 : 1;
        var allowed = Latin1.Bytes(start + new string('1', (64 * 1024) - lineBytes));
        var driver = FramerDriver.Run(allowed, [100, 4096, 65530]);
        Assert.Null(driver.Error);
        Assert.Empty(driver.Forwarded);

        driver.Feed([(byte)'1']);
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
    public void An_inline_line_of_64_KiB_passes()
    {
        var line = Latin1.Bytes("ECHO " + new string('A', 65531) + "\n");
        var driver = FramerDriver.Run(line, [5, 30000]);
        Assert.Null(driver.Error);
        Assert.Equal(line.Length, driver.Forwarded.Count);
    }

    [Theory]
    [InlineData("*10\r\n", null)]
    [InlineData("*11\r\n", "unauthenticated multibulk length")]
    [InlineData("*2147483648\r\n", "invalid multibulk length")]
    [InlineData("*1\r\n$16384\r\n", null)]
    [InlineData("*1\r\n$16385\r\n", "unauthenticated bulk length")]
    [InlineData("*1\r\n$536870913\r\n", "invalid bulk length")]
    public void Before_authentication_the_limits_are_small_and_the_texts_say_so(string stream, string? text)
    {
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var driver = FramerDriver.Run(Latin1.Bytes(stream), cuts, RespLimits.Unauthenticated);
            Assert.Equal(text is null ? null : "Protocol error: " + text, driver.Error?.Message);
        }
    }

    [Fact]
    public void Limits_may_be_swapped_between_two_requests()
    {
        var driver = new FramerDriver(RespLimits.Unauthenticated);
        driver.Feed(Latin1.Bytes(Ping));
        driver.Framer.Limits = RespLimits.Default;
        driver.Feed(Latin1.Bytes(Latin1.Request([.. Enumerable.Repeat("MGET", 11)])));
        Assert.Null(driver.Error);

        driver.Framer.Limits = RespLimits.Unauthenticated;
        driver.Feed(Latin1.Bytes(Latin1.Request([.. Enumerable.Repeat("MGET", 11)])));
        Assert.Equal("Protocol error: unauthenticated multibulk length", driver.Error?.Message);
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
