using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What if a side ends while an intercepted command waits for its place, behind BLPOP, say?</summary>
public sealed class WaitingTests
{
    private static readonly string Info = Request("key_evt_amqp.info");

    [Fact]
    public async Task The_clients_FIN_is_passed_on_while_its_last_command_waits_and_the_reply_still_comes()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        test.Client.Finish();
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        test.Upstream.Finish();
        Assert.Equal("+DONE\r\n", await test.Client.ReadToEndAsync());
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ClientClosed, test.Session.EndReason);
    }

    [Fact]
    public async Task The_client_that_left_first_is_the_reason_also_where_the_upstream_ends_without_an_answer()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        await test.ReadConfigQuestionAsync();
        test.Client.Finish();
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
        test.Upstream.Finish();
        Assert.Equal("", await test.Client.ReadToEndAsync());
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ClientClosed, test.Session.EndReason);
    }

    [Fact]
    public async Task The_clients_FIN_in_the_same_packet_is_passed_on_too()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        test.Client.Finish();
        await test.ReadConfigQuestionAsync();
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task Requests_behind_a_waiting_command_are_sent_before_the_clients_FIN()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info + "PING\r\n");
        test.Client.Finish();
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        await test.Client.ExpectAsync("+DONE\r\n");
        Assert.Equal("PING\r\n", await test.Upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task With_requests_behind_it_the_waiting_of_a_client_that_left_has_a_limit()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info + "PING\r\n");
        test.Client.Finish();
        await test.ReadConfigQuestionAsync();
        await Eventually.TrueAsync(() => { test.Time.Advance(TimeSpan.FromSeconds(1)); return test.Client.IsDisposed; }, "the session ends after the grace time");
        Assert.Equal(SessionEndReason.ClientLeftWaiting, test.Session.EndReason);
        Assert.Equal("", test.Upstream.Peek());
    }

    [Fact]
    public async Task A_client_that_breaks_while_its_command_waits_cuts_the_upstream()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        await test.ReadConfigQuestionAsync();
        test.Client.Reset();
        await test.EndedAsync();
        Assert.True(test.Upstream.IsAborted);
        Assert.Equal(SessionEndReason.ClientReset, test.Session.EndReason);
    }

    [Fact]
    public async Task A_client_that_breaks_while_its_command_runs_cancels_it()
    {
        await using var test = new SessionUnderTest();
        test.Execute = cancel => Task.Delay(Timeout.Infinite, cancel);
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        await Eventually.TrueAsync(() => test.Executed.Count == 1, "the command runs");
        test.Client.Reset();
        await test.EndedAsync();
    }

    [Fact]
    public async Task An_upstream_that_ends_while_a_command_waits_ends_the_session()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info + "PING\r\n");
        await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync("+bye\r\n");
        test.Upstream.Finish();
        Assert.Equal("+bye\r\n", await test.Client.ReadToEndAsync());
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.UpstreamClosed, test.Session.EndReason);
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task Much_behind_a_waiting_command_is_not_all_taken_in()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        var request = Request("SET", "k", new string('x', 1000));
        var sent = 0;
        var sending = Task.CompletedTask;
        while (sending.IsCompleted && sent < 10_000_000)
        {
            sending = test.Client.SendAsync(request);
            sent += request.Length;
            await Task.WhenAny(sending, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        Assert.True(sent < 200_000, $"{sent} bytes were taken in");
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        await test.Client.ExpectAsync("+DONE\r\n");
        for (var left = sent; left > 0; left -= request.Length) await test.Upstream.ExpectAsync(request);
        await sending;
    }
}
