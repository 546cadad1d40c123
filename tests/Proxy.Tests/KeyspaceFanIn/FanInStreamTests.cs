using KeyEvt.Forwarder.Redis;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Tests.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.KeyspaceFanIn.FanInStage;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>Where do the notifications of the other masters stand among the replies, and when do they end?</summary>
public sealed class FanInStreamTests
{
    [Theory]
    [InlineData('*')]
    [InlineData('>')]
    public async Task Messages_come_in_the_client_s_protocol_whatever_pieces_they_arrive_in(char type)
    {
        await using var stage = new FanInStage();
        var (two, three) = await stage.SubscribedAsync(type);
        foreach (var each in Message("a\r\nb") + Pong("9") + Message("c")) await two.SendAsync(each.ToString());
        await stage.Client.ExpectAsync(Message("a\r\nb", type) + Message("c", type));
        await three.SendAsync(Message("d"));
        await stage.Client.ExpectAsync(Message("d", type));
        await stage.Upstream.SendAsync(Message("own", type));
        await stage.Client.ExpectAsync(Message("own", type));
    }

    [Fact]
    public async Task A_notification_waits_for_the_end_of_the_reply_wherever_that_is_cut()
    {
        const string Reply = "*2\r\n$6\r\nab\r\ncd\r\n-ERR x\r\n";
        for (var cut = 1; cut < Reply.Length; cut++)
        {
            await using var stage = new FanInStage();
            var (two, _) = await stage.SubscribedAsync('>');
            await stage.Upstream.SendAsync(Reply[..cut]);
            await stage.Client.ExpectAsync(Reply[..cut]);
            await two.SendAsync(Message("n"));
            await ArrivedAsync(two);
            Assert.Equal("", stage.Client.Peek());
            await stage.Upstream.SendAsync(Reply[cut..] + "+b\r\n");
            await stage.Client.ExpectAsync(Reply[cut..] + Message("n", '>') + "+b\r\n");
        }
    }

    [Fact]
    public async Task It_does_not_wait_for_the_end_of_a_stream_of_replies_that_never_stands_at_one()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        await stage.Upstream.SendAsync("+a");
        await stage.Client.ExpectAsync("+a");
        await two.SendAsync(Message("n"));
        await ArrivedAsync(two);
        await stage.Upstream.SendAsync("\r\n+b\r\n+c");
        await stage.Client.ExpectAsync("\r\n" + Message("n", '>') + "+b\r\n+c");
    }

    [Fact]
    public async Task It_does_not_split_what_may_become_a_redirection()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        await stage.Upstream.SendAsync("+a\r\n-MOVED 5 10.0.");
        await stage.Client.ExpectAsync("+a\r\n");
        await two.SendAsync(Message("n"));
        await ArrivedAsync(two);
        await stage.Upstream.SendAsync("0.2:6379\r\n+b\r\n");
        await stage.Client.ExpectAsync("-MOVED 5 proxy:7002\r\n" + Message("n", '>') + "+b\r\n");
    }

    [Fact]
    public async Task It_comes_while_an_intercepted_command_waits_for_its_place()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        await stage.Client.SendAsync("BLPOP q 0\r\nkey_evt_amqp.info\r\n");
        await stage.Upstream.ExpectAsync("BLPOP q 0\r\n");
        var (first, last) = await stage.Test.ReadConfigQuestionAsync();
        await two.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n", '>'));
        await stage.Upstream.SendAsync("*-1\r\n" + first + ConfigGranted + last);
        await stage.Client.ExpectAsync("*-1\r\n+DONE\r\n");
    }

    [Theory]
    [InlineData("PUNSUBSCRIBE")]
    [InlineData("PUNSUBSCRIBE __keyevent@*__:set")]
    [InlineData("RESET")]
    public async Task Nothing_comes_any_more_once_the_client_has_unsubscribed(string request)
    {
        await using var stage = new FanInStage();
        var (two, three) = await stage.SubscribedAsync('>');
        await stage.Upstream.SendAsync("$3\r\nab");
        await stage.Client.ExpectAsync("$3\r\nab");
        await two.SendAsync(Message("waits for the end of the reply"));
        await ArrivedAsync(two);
        await stage.Client.SendAsync(request + "\r\n");
        await stage.Upstream.ExpectAsync(request + "\r\n");
        await stage.Upstream.SendAsync("c\r\n+x\r\n");
        await stage.Client.ExpectAsync("c\r\n+x\r\n");
        await Eventually.TrueAsync(() => two.IsDisposed && three.IsDisposed, "the connections are closed");
        await Eventually.TrueAsync(() => stage.Services.Fields.All(field => field.Value == "0"), "they are counted");
    }

    [Theory]
    [InlineData("UNSUBSCRIBE")]
    [InlineData("UNSUBSCRIBE __keyevent@*__:set")]
    [InlineData("PUNSUBSCRIBE other")]
    public async Task Unsubscribing_from_something_else_ends_nothing(string request)
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        await stage.Client.SendAsync(request + "\r\n");
        await stage.Upstream.ExpectAsync(request + "\r\n");
        await two.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n", '>'));
    }

    [Fact]
    public async Task Names_are_added_and_taken_away_on_the_same_connections()
    {
        await using var stage = new FanInStage();
        var (two, three) = await stage.SubscribedAsync('>');
        await stage.Client.SendAsync(Request("SUBSCRIBE", "__keyspace@0__:a"));
        var (first, last) = await stage.Test.ReadQuestionAsync("SUBSCRIBE", "__keyspace@0__:a");
        await stage.Upstream.SendAsync(first + Confirmation(2, '>', "__keyspace@0__:a", "subscribe") + last);
        foreach (var master in (MemoryConnection[])[two, three]) await SubscribesAsync(master, "__keyspace@0__:a", "SUBSCRIBE");
        await stage.Client.ExpectAsync(Confirmation(2, '>', "__keyspace@0__:a", "subscribe"));
        await two.SendAsync($"*3\r\n{Bulk("message")}{Bulk("__keyspace@0__:a")}{Bulk("set")}");
        await stage.Client.ExpectAsync($">3\r\n{Bulk("message")}{Bulk("__keyspace@0__:a")}{Bulk("set")}");

        await stage.Client.SendAsync($"PUNSUBSCRIBE {Pattern}\r\n");
        await stage.Upstream.ExpectAsync($"PUNSUBSCRIBE {Pattern}\r\n");
        foreach (var master in (MemoryConnection[])[two, three])
        {
            Assert.Equal(["PUNSUBSCRIBE", Pattern], await master.ReadRequestAsync());
            await PongsAsync(master);
        }
    }

    [Theory]
    [InlineData("HELLO 2", "*2\r\n$5\r\nproto\r\n:2\r\n", '>', '*')]
    [InlineData("HELLO 3", "%1\r\n$5\r\nproto\r\n:3\r\n", '>', '>')]
    [InlineData("HELLO 9", "-NOPROTO no\r\n", '>', '>')]
    [InlineData("HELLO 3", "-ERR Can't execute 'hello'\r\n", '*', '*')]
    public async Task Hello_decides_the_protocol_from_its_answer_on(string request, string answer, char before, char behind)
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync(before);
        await stage.Client.SendAsync(request + "\r\n");
        var (first, last) = await stage.Test.ReadQuestionAsync(request.Split(' '));
        var more = Message("own", before) + answer + Message("own", behind);
        await stage.Upstream.SendAsync(first + more);
        await two.SendAsync(Message("between"));
        await stage.Client.ExpectAsync(Message("between", before)); // HELLO's answer is not there yet
        await stage.Upstream.SendAsync(last);
        await stage.Client.ExpectAsync(more);
        await two.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n", behind));
    }

    [Fact]
    public async Task Hello_inside_a_transaction_ends_it_as_the_protocol_is_not_known_then()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        await stage.Client.SendAsync("MULTI\r\nHELLO 2\r\nEXEC\r\n");
        await stage.Upstream.ExpectAsync("MULTI\r\nHELLO 2\r\nEXEC\r\n");
        await Eventually.TrueAsync(() => two.IsDisposed, "the connection is closed");
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_ended_and_counted()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        var message = Message(new string('k', 100_000));
        try
        {
            while (stage.Test.Session.EndReason == SessionEndReason.None)
            {
                await two.SendAsync(message).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            }
        }
        catch (InvalidOperationException)
        {
            // cut in the middle of a message
        }

        stage.Client.StopReading(new IOException("cut")); // as every flush of a connection that was cut returns
        await stage.Test.EndedAsync();
        Assert.Equal(SessionEndReason.SubscriberTooSlow, stage.Test.Session.EndReason);
        Assert.Equal([("merged_subscribers", "0"), ("merged_connections", "0"), ("merged_subscribers_cut", "1")], stage.Services.Fields.Select(field => (field.Key, field.Value)));
    }

    [Fact]
    public async Task The_session_s_end_closes_all()
    {
        await using var stage = new FanInStage();
        var (two, three) = await stage.SubscribedAsync('>');
        Assert.Equal(["1", "2", "0"], stage.Services.Fields.Select(field => field.Value));
        stage.Client.Finish();
        Assert.Equal("", await stage.Upstream.ReadToEndAsync());
        stage.Upstream.Finish();
        Assert.Equal("", await stage.Client.ReadToEndAsync());
        await stage.Test.EndedAsync();
        Assert.True(two.IsDisposed && three.IsDisposed);
        Assert.Equal(["0", "0", "0"], stage.Services.Fields.Select(field => field.Value));
    }

    [Fact]
    public async Task A_replica_s_own_messages_of_merged_names_are_left_out_whatever_pieces_they_arrive_in()
    {
        await using var stage = new FanInStage(ownIsReplica: true);
        await stage.SubscribedAsync();
        var longer = Message("x", name: Pattern + "2");
        string[] kept = [Message("x", name: "__keyevent@*__:*"), longer, $"*3\r\n{Bulk("message")}{Bulk(Pattern)}{Bulk("x")}", Confirmation(2, name: "news"), "*0\r\n", Pong("x"), "-MOVED 5 10.0.0.1:6379\r\n", "+OK\r\n", Message("y", '>')];
        var sent = Message("a") + string.Join(Message("b\r\n"), kept) + Message("c");
        var expected = string.Concat(kept).Replace("10.0.0.1:6379", "proxy:7001", StringComparison.Ordinal);
        foreach (var each in sent) await stage.Upstream.SendAsync(each.ToString());
        await stage.Client.ExpectAsync(expected);
        for (var cut = 1; cut < sent.Length; cut += 3)
        {
            await stage.Upstream.SendAsync(sent[..cut]);
            await stage.Upstream.SendAsync(sent[cut..]);
            await stage.Client.ExpectAsync(expected);
        }

        await stage.Upstream.SendAsync("+end\r\n");
        await stage.Client.ExpectAsync("+end\r\n");
    }

    [Fact]
    public async Task Once_it_is_a_master_its_own_messages_are_heard()
    {
        await using var stage = new FanInStage(ownIsReplica: true);
        var (two, three) = await stage.SubscribedAsync();
        stage.Topology.Change(Node("upstream"), Node("two", NodeRole.Replica), Node("three"));
        await Eventually.TrueAsync(() => two.IsDisposed, "the old master is not listened to");
        await stage.Upstream.SendAsync(Message("own"));
        await stage.Client.ExpectAsync(Message("own"));
        await three.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n"));
    }

    [Fact]
    public async Task New_masters_are_listened_to_and_old_ones_are_not()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync();
        stage.Topology.Change(Node("upstream"), Node("two", NodeRole.Replica), Node("three"), Node("four"));
        var four = await stage.ConnectedAsync("four");
        await BeginsAsync(four);
        await four.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n"));
        await Eventually.TrueAsync(() => two.IsDisposed, "the old master is not listened to");
    }

    /// <summary>All that the master has sent is read: something behind it is, of which nobody wants to hear, and which is too large to be sent before.</summary>
    private static Task ArrivedAsync(MemoryConnection master) => master.SendAsync(Message(new string('x', 2 * MemoryConnection.PauseBytes), name: "nobody's"));
}
