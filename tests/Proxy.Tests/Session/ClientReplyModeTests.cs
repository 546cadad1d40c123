using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>After CLIENT REPLY OFF or SKIP no reply is due: is that known, and is the client's mode as it was afterwards?</summary>
public sealed class ClientReplyModeTests
{
    private static readonly string Info = Request("key_evt_amqp.info");

    [Fact]
    public async Task With_replies_on_again_the_command_is_answered_and_the_proxys_own_OK_is_not_seen()
    {
        await using var test = new SessionUnderTest();
        var (skip, off, first, last) = await SendSilencedAsync(test, "OFF");
        await test.Upstream.SendAsync("+before\r\n" + skip + ">1\r\n+p\r\n" + off + "+OK\r\n" + first + ConfigGranted + last + "+behind\r\n");
        await test.Client.ExpectAsync("+before\r\n>1\r\n+p\r\n+DONE\r\n+behind\r\n");
    }

    [Fact]
    public async Task After_SKIP_the_command_runs_without_a_reply_and_nothing_is_switched_off()
    {
        await using var test = new SessionUnderTest();
        var (_, off, first, last) = await SendSilencedAsync(test, "SKIP", behind: "PING\r\n");
        await test.Upstream.SendAsync("+before\r\n" + off + "+OK\r\n" + first + ConfigGranted + last);
        await test.Upstream.ExpectAsync("PING\r\n");
        await test.Upstream.SendAsync("+PONG\r\n");
        await test.Client.ExpectAsync("+before\r\n+PONG\r\n");
        Assert.Single(test.Executed);
    }

    [Fact]
    public async Task With_replies_off_the_command_runs_without_a_reply_and_they_are_off_again_afterwards()
    {
        await using var test = new SessionUnderTest();
        var (_, _, first, last) = await SendSilencedAsync(test, "OFF", behind: "PING\r\n");
        await test.Upstream.SendAsync("+before\r\n+OK\r\n" + first + ">1\r\n+p\r\n" + ConfigGranted + last);
        await test.Upstream.ExpectAsync(Request("CLIENT", "REPLY", "OFF") + "PING\r\n");
        await test.Client.ExpectAsync("+before\r\n>1\r\n+p\r\n");
        Assert.Equal("", test.Client.Peek());
        Assert.Single(test.Executed);
    }

    [Fact]
    public async Task With_replies_off_a_refusal_is_silent_too()
    {
        await using var test = new SessionUnderTest();
        var (_, _, first, last) = await SendSilencedAsync(test, "off");
        await test.Upstream.SendAsync("+OK\r\n" + first + "-NOPERM no\r\n" + last);
        await test.Upstream.ExpectAsync(Request("CLIENT", "REPLY", "OFF"));
        Assert.Equal("", test.Client.Peek());
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task A_message_between_the_OK_and_its_mark_ends_the_session_rather_than_its_order()
    {
        await using var test = new SessionUnderTest();
        var (_, _, first, last) = await SendSilencedAsync(test, "OFF");
        await test.Upstream.SendAsync("+OK\r\n>1\r\n+p\r\n" + first + ConfigGranted + last);
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.PlaceLost, test.Session.EndReason);
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task A_place_that_never_comes_ends_the_session_at_a_deadline()
    {
        await using var test = new SessionUnderTest();
        await SendSilencedAsync(test, "OFF"); // then MULTI, say: the upstream is silent
        await Task.Delay(50, TestContext.Current.CancellationToken);
        test.Time.Advance(TimeSpan.FromSeconds(30));
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.PlaceLost, test.Session.EndReason);
    }

    [Fact]
    public async Task CLIENT_REPLY_ON_alone_changes_nothing()
    {
        await using var test = new SessionUnderTest();
        var on = Request("CLIENT", "REPLY", "ON");
        await test.Client.SendAsync(on + Info);
        await test.Upstream.ExpectAsync(on);
        await test.ReadConfigQuestionAsync();
    }

    private static async Task<(string Skip, string Off, string First, string Last)> SendSilencedAsync(SessionUnderTest test, string mode, string behind = "")
    {
        var silence = Request("client", "Reply", mode);
        await test.Client.SendAsync(silence + Info + behind);
        await test.Upstream.ExpectAsync(silence);
        return await test.ReadQuestionOfSilentAsync();
    }
}
