using System.Net.Sockets;
using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>How does each way of ending on one side look from the other?</summary>
public sealed class SessionEndTests
{
    [Fact]
    public async Task Bytes_pass_both_ways_unchanged()
    {
        await using var test = new SessionUnderTest();
        var request = Request("SET", "k", "\0\r\n\xff") + "PING\r\n*0\r\n\r\n";
        await test.Client.SendAsync(request);
        await test.Upstream.ExpectAsync(request);
        await test.Upstream.SendAsync("+OK\r\nanything at all\0\n");
        await test.Client.ExpectAsync("+OK\r\nanything at all\0\n");
    }

    [Fact]
    public async Task The_clients_FIN_goes_upstream_behind_its_bytes_and_its_replies_still_come()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("PING\r\n");
        test.Client.Finish();
        Assert.Equal("PING\r\n", await test.Upstream.ReadToEndAsync());
        await test.Upstream.SendAsync("+PONG\r\n");
        await test.Client.ExpectAsync("+PONG\r\n");
        test.Upstream.Finish();
        Assert.Equal("", await test.Client.ReadToEndAsync());
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ClientClosed, test.Session.EndReason);
        Assert.False(test.Client.IsAborted);
        Assert.True(test.Client.IsDisposed && test.Upstream.IsDisposed);
    }

    [Fact]
    public async Task A_request_cut_off_by_the_clients_FIN_is_never_seen_as_a_command()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("PING\r\n*1\r\n$17\r\nkey_evt_amqp.inf");
        test.Client.Finish();
        Assert.Equal("PING\r\n", await test.Upstream.ReadToEndAsync());
    }

    [Fact]
    public async Task The_upstreams_FIN_goes_to_the_client_behind_its_bytes_and_the_session_ends_when_the_client_closes()
    {
        await using var test = new SessionUnderTest();
        await test.Upstream.SendAsync("+last\r\n");
        test.Upstream.Finish();
        Assert.Equal("+last\r\n", await test.Client.ReadToEndAsync());
        await test.Client.SendAsync("PING\r\n");
        Assert.False(test.Client.IsDisposed);
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.UpstreamClosed, test.Session.EndReason);
    }

    [Fact]
    public async Task A_client_that_does_not_close_after_the_upstream_has_its_linger_time()
    {
        await using var test = new SessionUnderTest();
        test.Upstream.Finish();
        await test.Client.ReadToEndAsync();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(test.Client.IsDisposed);
        await Eventually.TrueAsync(() => { test.Time.Advance(TimeSpan.FromSeconds(1)); return test.Client.IsDisposed; }, "the session ends after the linger time");
        Assert.False(test.Client.IsAborted);
    }

    [Fact]
    public async Task A_broken_client_cuts_the_upstream()
    {
        await using var test = new SessionUnderTest();
        test.Client.Reset();
        await test.EndedAsync();
        Assert.True(test.Upstream.IsAborted);
        Assert.Equal(SessionEndReason.ClientReset, test.Session.EndReason);
    }

    [Fact]
    public async Task A_broken_upstream_is_FIN_to_the_client_behind_what_came_before()
    {
        await using var test = new SessionUnderTest();
        await test.Upstream.SendAsync("+last\r\n");
        await test.Client.ExpectAsync("+last\r\n");
        test.Upstream.Reset();
        Assert.Equal("", await test.Client.ReadToEndAsync());
        Assert.False(test.Client.IsAborted);
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.UpstreamReset, test.Session.EndReason);
    }

    [Fact]
    public async Task An_upstream_that_takes_no_more_may_still_say_its_last_words()
    {
        await using var test = new SessionUnderTest();
        test.Upstream.StopReading(new SocketException((int)SocketError.Shutdown)); // as after QUIT
        await test.Client.SendAsync("PING\r\n");
        await test.Client.SendAsync("PING\r\n");
        await test.Upstream.SendAsync("+OK\r\n");
        test.Upstream.Finish();
        Assert.Equal("+OK\r\n", await test.Client.ReadToEndAsync());
        Assert.False(test.Client.IsAborted);
    }

    [Fact]
    public async Task An_upstream_that_refuses_is_a_reset_to_the_client_and_not_a_byte()
    {
        await using var test = new SessionUnderTest(transport: MemoryTransport.Refusing);
        Assert.Equal("", await test.Client.ReadToEndAsync());
        await test.EndedAsync(); // though the client does not close: nothing is waited for
        Assert.True(test.Client.IsPeerReset);
        Assert.Equal(SessionEndReason.UpstreamUnreachable, test.Session.EndReason);
    }

    [Fact]
    public async Task An_upstream_that_swallows_the_connect_is_given_up_at_the_deadline()
    {
        var swallowing = new MemoryTransport(async cancel =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            throw new InvalidOperationException();
        });
        await using var test = new SessionUnderTest(transport: swallowing);
        Assert.Equal((0, default), (test.Session.Reads, test.Session.Traffic));
        test.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(test.Client.IsPeerReset);
        test.Time.Advance(TimeSpan.FromSeconds(0.2)); // see SharedDeadline
        Assert.Equal("", await test.Client.ReadToEndAsync());
        await test.EndedAsync();
        Assert.True(test.Client.IsPeerReset);
    }

    [Fact]
    public async Task HTTP_is_closed_without_a_word_and_never_forwarded()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ForeignProtocol, test.Session.EndReason);
        Assert.Equal("", test.Upstream.Peek());
        Assert.Equal("", test.Client.Peek());
    }

    [Fact]
    public async Task A_stop_lets_requests_under_way_get_their_replies()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync("PING\r\n");
        await test.Upstream.ExpectAsync("PING\r\n");
        test.Session.Stop();
        var mark = await test.ReadMarkAsync();
        await test.Upstream.SendAsync("+PONG\r\n" + mark);
        Assert.Equal("+PONG\r\n", await test.Client.ReadToEndAsync());
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.Stopping, test.Session.EndReason);
    }

    [Fact]
    public async Task A_stop_waits_for_the_rest_of_a_request()
    {
        await using var test = new SessionUnderTest();
        var request = Request("SET", "k", "value");
        await test.Client.SendAsync(request[..^4]);
        await test.Upstream.ReadAsync(request.Length - 9); // the framer has released what it may
        test.Session.Stop();
        await test.Client.SendAsync(request[^4..]);
        await Eventually.TrueAsync(() => test.Upstream.Peek().Contains("key_evt_amqp.", StringComparison.Ordinal), "the place of the end is marked");
        Assert.StartsWith(request[(request.Length - 9)..], test.Upstream.Peek(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_does_not_read_stops_the_reading_from_the_upstream()
    {
        await using var test = new SessionUnderTest();
        var sent = 0;
        var sending = Task.CompletedTask;
        while (sending.IsCompleted && sent < 100 * MemoryConnection.PauseBytes)
        {
            sending = test.Upstream.SendAsync(new byte[1024]);
            sent += 1024;
            await Task.WhenAny(sending, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        Assert.True(sent <= 4 * MemoryConnection.PauseBytes, $"{sent} bytes were taken in");
        await test.Client.ReadAsync(sent);
        await sending;
    }

    [Fact]
    public async Task An_upstream_that_does_not_read_stops_the_reading_from_the_client()
    {
        await using var test = new SessionUnderTest();
        var request = Request("SET", "k", new string('x', 1000));
        var sent = 0;
        var sending = Task.CompletedTask;
        while (sending.IsCompleted && sent < 100 * MemoryConnection.PauseBytes)
        {
            sending = test.Client.SendAsync(request);
            sent += request.Length;
            await Task.WhenAny(sending, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        Assert.True(sent <= 4 * MemoryConnection.PauseBytes, $"{sent} bytes were taken in");
        await test.Upstream.ReadAsync(sent);
        await sending;
    }
}
