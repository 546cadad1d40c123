// How is a request held, read, and taken out of the stream or passed on?
using System.Buffers;
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class CandidateTests
{
    private static readonly string Get = Latin1.Request("GET", "k");

    [Fact]
    public void A_candidate_is_read_whole_and_taken_out_of_the_stream_in_any_pieces()
    {
        var candidate = Latin1.Request("Key_Evt_AMQP.keymask_add", "^a.*$", "", "\r\n");
        var stream = Latin1.Bytes(Get + candidate + Get + candidate);
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var driver = FramerDriver.Run(stream, cuts);
            Assert.Equal(Get + Get, Latin1.Text([.. driver.Forwarded]));
            Assert.Equal(2, driver.Candidates.Count);
            Assert.All(driver.Candidates, c => Assert.Equal(["Key_Evt_AMQP.keymask_add", "^a.*$", "", "\r\n"], c.Arguments));
            Assert.All(driver.Candidates, c => Assert.Equal(candidate.Length, c.Length));
            Assert.True(driver.Framer.AtRequestBoundary);
        }
    }

    [Fact]
    public void A_passed_candidate_is_forwarded_in_its_place_and_the_next_one_is_held_again()
    {
        var passed = Latin1.Request("MODULE", "LIST");
        var taken = Latin1.Request("key_evt_amqp.info");
        var stream = Latin1.Bytes(Get + passed + passed + taken + Get);
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var driver = FramerDriver.Run(stream, cuts);
            Assert.Equal(Get + passed + passed + Get, Latin1.Text([.. driver.Forwarded]));
            Assert.Equal([false, false, true], driver.Candidates.Select(c => c.Taken));
        }
    }

    [Theory]
    [InlineData("key_evt_amqp.info stats\r\n")]
    [InlineData("  KEY_EVT_AMQP.INFO\tstats\n")]
    [InlineData("\"key_evt_amqp.info\" 'stats'\r\n")]
    [InlineData("'key_evt_amqp.info' \"\\x73tats\"\r\n")]
    [InlineData("key\"_evt_amqp.info\" stats\r\n")]
    [InlineData("\"\\x6bey_evt_amqp.info\" stats\r\n")]
    public void An_inline_candidate_is_held_however_it_is_quoted(string line)
    {
        var stream = Latin1.Bytes("PING\r\n" + line + "PING\r\n");
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var driver = FramerDriver.Run(stream, cuts);
            Assert.Equal("PING\r\nPING\r\n", Latin1.Text([.. driver.Forwarded]));
            var held = Assert.Single(driver.Candidates);
            Assert.True(held.IsInline);
            Assert.Equal(["key_evt_amqp.info", "stats"], held.Arguments, StringComparer.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("*2\r\n$17\r\nkey_evt_amqp.info\r\n$01\r\n", "invalid bulk length")]
    [InlineData("*2\r\n$17\r\nkey_evt_amqp.infoX", "invalid CRLF in request")]
    [InlineData("key_evt_amqp.info \"\r\n", "unbalanced quotes in request")]
    [InlineData("key_evt_amqp.config_set \"h\"1\r\n", "unbalanced quotes in request")]
    [InlineData("\"key_evt\"_amqp.config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("k\"e\"y_evt_amqp.config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("''key_evt_amqp.config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("\"\\x6b\"'ey_evt_amqp.config_set' h\r\n", "unbalanced quotes in request")]
    [InlineData("key_evt_amqp\".config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("\"key_evt_amqp.config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("\"key_evt_amqp.\"\vconfig_set h\r\n", "unbalanced quotes in request")]
    [InlineData("\"key_evt_amqp.info\\\"\r\n", "unbalanced quotes in request")]
    [InlineData("key_evt_amqp.info 'a\\'\r\n", "unbalanced quotes in request")]
    [InlineData("\"key_evt_amqp.info\"\v h\r\n", "unbalanced quotes in request")]
    [InlineData("\u00FFkey_evt_amqp.config_set h\r\n", "unbalanced quotes in request")] // Valkey 9.1 leaves this byte out
    [InlineData("key_\u00FFevt_amqp.config_set h\r\n", "unbalanced quotes in request")]
    [InlineData("\"\u00FF\\\u00FFkey_evt_amqp.config_set\" h\r\n", "unbalanced quotes in request")]
    [InlineData("'key_evt_amqp\u00FF.config_set' h\r\n", "unbalanced quotes in request")]
    [InlineData("\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FFkey_evt_amqp.config_set h\r\n", "unbalanced quotes in request")]
    public void A_malformed_candidate_is_refused_and_nothing_of_it_forwarded(string candidate, string text)
    {
        var stream = Latin1.Bytes(Get + candidate);
        foreach (var cuts in Cuts.All(stream.Length))
        {
            var driver = FramerDriver.Run(stream, cuts);
            Assert.Equal("Protocol error: " + text, driver.Error?.Message);
            Assert.Equal(stream.Length - (candidate.EndsWith('\n') && candidate[0] == '*' ? 3 : 1), driver.Error?.Offset);
            Assert.Equal(Get, Latin1.Text([.. driver.Forwarded]));
        }
    }

    [Fact]
    public void A_candidate_that_is_too_large_is_known_as_soon_as_its_lengths_say_so()
    {
        var framer = NewFramer(new RespLimits { MaxCandidateBytes = 100 });
        var head = Latin1.Bytes("*2\r\n$17\r\nkey_evt_amqp.info\r\n$80\r\n");
        Assert.Equal(FrameStop.Candidate, framer.Scan(head).Stop);
        Assert.Equal(CandidateStatus.TooLarge, framer.ReadCandidate(new ReadOnlySequence<byte>(head), out var request, out var length));
        Assert.Null(request);
        Assert.Equal(0, length);
        Assert.Equal(CandidateStatus.TooLarge, framer.ReadCandidate(new ReadOnlySequence<byte>(head), out _, out _));
        Assert.Throws<InvalidOperationException>(framer.TakeCandidate);

        framer.PassCandidate();
        Assert.Equal(new FrameStep(head.Length, head.Length, FrameStop.NeedMore), framer.Scan(head));
    }

    [Theory]
    [InlineData(1, CandidateStatus.TooLarge)]
    [InlineData(0, CandidateStatus.Complete)]
    public void A_candidate_may_be_as_large_as_the_limit(int less, CandidateStatus expected)
    {
        var bytes = Latin1.Bytes(Latin1.Request("key_evt_amqp.info", "stats"));
        var framer = NewFramer(new RespLimits { MaxCandidateBytes = bytes.Length - less });
        Assert.Equal(FrameStop.Candidate, framer.Scan(bytes).Stop);
        Assert.Equal(expected, framer.ReadCandidate(Segments.Of([.. bytes, .. "PING\r\n"u8], 3), out _, out _));
    }

    [Fact]
    public void A_complete_candidate_may_be_read_again_and_owns_its_bytes()
    {
        var bytes = Latin1.Bytes(Latin1.Request("key_evt_amqp.info", "stats"));
        var framer = NewFramer(RespLimits.Default);
        framer.Scan(bytes);
        framer.ReadCandidate(new ReadOnlySequence<byte>(bytes), out var first, out _);
        framer.ReadCandidate(new ReadOnlySequence<byte>(bytes), out var second, out var length);
        Array.Clear(bytes);
        Assert.Same(first, second);
        Assert.Equal(bytes.Length, length);
        Assert.Equal("stats", Latin1.Text(second![1].Span));
    }

    [Fact]
    public void An_incomplete_candidate_may_be_passed()
    {
        var framer = NewFramer(RespLimits.Default);
        var head = "*2\r\n$17\r\nkey_evt_amqp.inf"u8;
        Assert.Equal(FrameStop.Candidate, framer.Scan(head).Stop);
        Assert.Equal(CandidateStatus.Incomplete, framer.ReadCandidate(Segments.Of(head.ToArray(), 5), out _, out _));
        framer.PassCandidate();
        Assert.Equal(head.Length, framer.Scan(head).Released);
    }

    [Fact]
    public void While_there_is_a_candidate_nothing_is_scanned_and_without_one_none_is_read()
    {
        var framer = NewFramer(RespLimits.Default);
        Assert.Throws<InvalidOperationException>(() => framer.ReadCandidate(default, out _, out _));
        Assert.Throws<InvalidOperationException>(framer.TakeCandidate);
        Assert.Throws<InvalidOperationException>(framer.PassCandidate);
        framer.Scan("key_evt_amqp.info\r\n"u8);
        Assert.False(framer.AtRequestBoundary);
        Assert.Throws<InvalidOperationException>(() => framer.Scan("PING\r\n"u8));
    }

    private static RespRequestFramer<RecordingFilter> NewFramer(RespLimits limits) => new(limits, new RecordingFilter([]));
}
