using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Does a malformed request get its error in its place, and does nothing of it go upstream?</summary>
public sealed class ProtocolErrorTests
{
    [Fact]
    public async Task The_error_comes_behind_the_replies_to_what_was_good_and_then_the_end()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Request("GET", "a") + "*1\r\n$04\r\nPING\r\n");
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync("$1\r\n1\r\n");
        await test.Client.ExpectAsync("$1\r\n1\r\n");
        await test.Upstream.SendAsync(mark + "+never seen\r\n");
        var error = await test.Client.ReadToEndAsync();
        Assert.StartsWith("-ERR Protocol error: ", error, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", error, StringComparison.Ordinal);
        Assert.Equal("", test.Upstream.Peek());
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ProtocolError, test.Session.EndReason);
    }

    [Fact]
    public async Task Without_interception_it_comes_behind_the_upstreams_last_byte()
    {
        await using var test = new SessionUnderTest(intercept: false);
        await test.Client.SendAsync("PING\r\n*x\r\n");
        Assert.Equal("PING\r\n", await test.Upstream.ReadToEndAsync());
        await test.Upstream.SendAsync("+PONG\r\n");
        test.Upstream.Finish();
        Assert.StartsWith("+PONG\r\n-ERR Protocol error: ", await test.Client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_the_beginning_of_a_bad_request_nothing_is_sent_that_could_be_taken_for_its_rest()
    {
        await using var test = new SessionUnderTest();
        const string Beginning = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n01234";
        await test.Client.SendAsync(Beginning);
        await test.Upstream.ExpectAsync(Beginning);
        await test.Client.SendAsync("56789XX");
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
        test.Upstream.Finish();
        Assert.Equal("-ERR Protocol error: invalid CRLF in request\r\n", await test.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task To_a_client_that_wants_no_replies_nothing_is_said()
    {
        await using var test = new SessionUnderTest();
        var (_, _, first) = await SendSilencedAsync(test, "OFF");
        await test.Upstream.SendAsync("+before\r\n+OK\r\n" + first);
        Assert.Equal("+before\r\n", await test.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task To_a_client_that_skips_this_reply_nothing_is_said()
    {
        await using var test = new SessionUnderTest();
        var (_, off, first) = await SendSilencedAsync(test, "SKIP");
        await test.Upstream.SendAsync("+before\r\n" + off + "+OK\r\n" + first);
        Assert.Equal("+before\r\n", await test.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task To_a_client_that_wants_replies_again_it_is_said()
    {
        await using var test = new SessionUnderTest();
        var (skip, off, first) = await SendSilencedAsync(test, "OFF");
        await test.Upstream.SendAsync("+before\r\n" + skip + off + "+OK\r\n" + first);
        Assert.Matches("^\\+before\r\n-ERR Protocol error: [^\r\n]+\r\n$", await test.Client.ReadToEndAsync());
    }

    [Theory]
    [InlineData("*2\r\n$24\r\nkey_evt_amqp.keymask_add\r\n$100000\r\n")]
    [InlineData("*4\r\n$6\r\nmodule\r\n$4\r\nLOAD\r\n$30\r\n/lib/redis_keyspace_amqp.so.10\r\n$100000\r\n")]
    public async Task A_command_of_the_proxy_too_large_to_hold_is_one(string request)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(request);
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync(mark);
        Assert.Equal("-ERR Protocol error: too big command of key_evt_amqp or MODULE\r\n", await test.Client.ReadToEndAsync());
        Assert.Empty(test.Executed);
    }

    [Theory]
    [InlineData("CLIENT REPLY SKIP", 65537)]
    [InlineData("client reply off", 100_000)]
    [InlineData("\"CLIENT\" LIST", 65537)]
    [InlineData("MODULE LIST", 65537)]
    [InlineData("key_evt_amqp.info", 65537)]
    public async Task An_inline_line_longer_than_all_servers_take_is_one_where_it_must_be_looked_at(string line, int length)
    {
        await using var test = new SessionUnderTest();
        var sending = test.Client.SendAsync(line.PadRight(length) + "\n" + Request("key_evt_amqp.info"));
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync(mark);
        Assert.Equal("-ERR Protocol error: too big inline request\r\n", await test.Client.ReadToEndAsync());
        Assert.Empty(test.Executed);
        await sending;
    }

    [Fact]
    public async Task An_inline_line_whose_quotes_are_not_for_the_proxy_to_judge_is_passed_on()
    {
        await using var test = new SessionUnderTest();
        var lines = "set \"\"\"tes\"t-'k' v\r\nGET \"a\r\n'x'y z\n";
        await test.Client.SendAsync(lines);
        await test.Upstream.ExpectAsync(lines);
    }

    [Theory]
    [InlineData("\"key_evt\"_amqp.config_set secret\r\n")]
    [InlineData("key_evt_amqp.config_set \"secret\r\n")]
    [InlineData("key_evt_amqp.config_set 'secret'x\n")]
    [InlineData("client reply \"sk\"ip\n")]
    [InlineData("\"client\"\vreply skip\n")]
    [InlineData("MODULE LOAD \"/redis_keyspace\"_amqp.so\n")]
    public async Task A_line_that_servers_may_read_differently_is_one_where_it_must_be_looked_at(string line)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(line);
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync(mark);
        Assert.Equal("-ERR Protocol error: unbalanced quotes in request\r\n", await test.Client.ReadToEndAsync());
        Assert.Equal("", test.Upstream.Peek());
    }

    [Fact]
    public async Task A_command_larger_than_a_client_without_login_may_send_ends_the_session_in_Redis_words()
    {
        foreach (var (request, words) in new[]
        {
            (Request(["key_evt_amqp.keymask_add", .. Enumerable.Repeat("m", 10)]), "unauthenticated multibulk length"),
            (Request("key_evt_amqp.keymask_add", new string('m', 16385)), "unauthenticated bulk length"),
        })
        {
            await using var test = new SessionUnderTest();
            await test.Client.SendAsync(request + "PING\r\n" + Request("key_evt_amqp.info"));
            var (first, _, last) = await test.ReadChangeQuestionAsync();
            await test.Upstream.SendAsync("+before\r\n" + first + "-NOAUTH Authentication required.\r\n" + last);
            var end = await test.ReadMarkAsync();
            await test.Upstream.SendAsync(end);
            Assert.Equal($"+before\r\n-ERR Protocol error: {words}\r\n", await test.Client.ReadToEndAsync());
            Assert.Equal("", test.Upstream.Peek());
            test.Client.Finish();
            await test.EndedAsync();
            Assert.Equal(SessionEndReason.ProtocolError, test.Session.EndReason);
            Assert.Empty(test.Executed);
        }
    }

    [Fact]
    public async Task It_does_also_when_the_client_has_sent_all_it_will_send()
    {
        foreach (var behind in new[] { "", "PING\r\n" })
        {
            await using var test = new SessionUnderTest();
            await test.Client.SendAsync(Request("key_evt_amqp.keymask_add", new string('m', 16385)) + behind);
            test.Client.Finish();
            var (first, _, last) = await test.ReadChangeQuestionAsync();
            await test.Upstream.SendAsync(first + "-NOAUTH Authentication required.\r\n" + last);
            Assert.Equal("", await test.Upstream.ReadToEndAsync());
            test.Upstream.Finish();
            Assert.Equal("-ERR Protocol error: unauthenticated bulk length\r\n", await test.Client.ReadToEndAsync());
            await test.EndedAsync();
        }
    }

    [Fact]
    public async Task One_that_such_a_client_may_send_is_refused_and_the_session_goes_on()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Request(["key_evt_amqp.keymask_add", .. Enumerable.Repeat("m", 9)]) + "PING\r\n");
        var (first, _, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + "-NOAUTH Authentication required.\r\n" + last);
        await test.Client.ExpectAsync("-NOAUTH Authentication required.\r\n");
        await test.Upstream.ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task A_large_CLIENT_request_is_Redis_own_affair()
    {
        await using var test = new SessionUnderTest();
        var request = Request("CLIENT", "SETNAME", new string('x', 100_000));
        var sending = test.Client.SendAsync(request);
        await test.Upstream.ExpectAsync(request);
        await sending;
    }

    private static async Task<(string Skip, string Off, string First)> SendSilencedAsync(SessionUnderTest test, string mode)
    {
        var silence = Request("CLIENT", "REPLY", mode);
        await test.Client.SendAsync(silence + "*x\r\n");
        await test.Upstream.ExpectAsync(silence);
        var skip = await test.ReadMarkAsync();
        var off = await test.ReadMarkAsync();
        await test.Upstream.ExpectAsync(Request("CLIENT", "REPLY", "ON"));
        return (skip, off, await test.ReadMarkAsync());
    }
}
