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
    public async Task Into_a_request_whose_beginning_has_gone_upstream_nothing_else_is_sent()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("*2\r\n$3\r\nGET\r\n$1\r\na");
        await test.Upstream.ExpectAsync("*2\r\n$3\r\nGET\r\n$1\r\na");
        await test.Client.SendAsync("XX");
        Assert.Equal("", await test.Upstream.ReadToEndAsync()); // a mark would have become the end of this request
        test.Upstream.Finish();
        Assert.StartsWith("-ERR Protocol error: ", await test.Client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_a_client_that_wants_no_replies_nothing_is_said()
    {
        await using var test = new SessionUnderTest();
        var silence = Request("CLIENT", "REPLY", "OFF");
        await test.Client.SendAsync(silence + "*x\r\n");
        Assert.Equal(silence, await test.Upstream.ReadToEndAsync());
        test.Upstream.Finish();
        Assert.Equal("", await test.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task An_intercepted_command_too_large_to_hold_is_one()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("*2\r\n$24\r\nkey_evt_amqp.keymask_add\r\n$100000\r\n");
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync(mark);
        Assert.Equal("-ERR Protocol error: too big key_evt_amqp command\r\n", await test.Client.ReadToEndAsync());
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task A_large_MODULE_or_CLIENT_request_is_Redis_own_affair()
    {
        await using var test = new SessionUnderTest();
        var request = Request("CLIENT", "SETNAME", new string('x', 100_000));
        var sending = test.Client.SendAsync(request);
        await test.Upstream.ExpectAsync(request);
        await sending;
    }
}
