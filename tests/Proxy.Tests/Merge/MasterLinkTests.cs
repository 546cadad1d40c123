using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Proxy.Tests.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Merge.MergeStage;

namespace KeyEvt.Proxy.Tests.Merge;

/// <summary>What is said to another master, and what if it does not answer as it should?</summary>
public sealed class MasterLinkTests
{
    [Fact]
    public async Task The_login_comes_first_and_alone()
    {
        await using var stage = new MergeStage(password: "word");
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        foreach (var name in (string[])["two", "three"])
        {
            var master = await stage.ConnectedAsync(name);
            Assert.Equal(["AUTH", "word"], await master.ReadRequestAsync());
            Assert.Equal("", master.Peek());
            await master.SendAsync("+OK\r\n");
            await SubscribesAsync(master);
        }

        await stage.Client.ExpectAsync(Confirmation());
    }

    [Fact]
    public async Task A_refused_login_is_said_without_the_words_of_the_server_and_tried_again()
    {
        var logger = new RecordingLogger();
        await using var stage = new MergeStage(password: "word", logger: logger);
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        var two = await stage.ConnectedAsync("two");
        await two.ReadRequestAsync();
        await two.SendAsync("-WRONGPASS invalid word\r\n");
        await Eventually.TrueAsync(() => two.IsDisposed, "the connection is given up");
        await stage.ConnectedAsync("three");
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(50)); return !stage.NobodyConnects(); }, "it is tried again");
        Assert.Contains("WRONGPASS at the login", Assert.Single(logger.Lines, line => line.StartsWith("Warning 1107", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(logger.Lines, line => line.Contains("word", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_refused_is_said_and_asked_for_again_later()
    {
        var logger = new RecordingLogger();
        await using var stage = new MergeStage(logger: logger);
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        await SubscribesAsync(await stage.ConnectedAsync("three"));
        var two = await stage.ConnectedAsync("two");
        Assert.Equal(["PSUBSCRIBE", Pattern], await two.ReadRequestAsync());
        await two.SendAsync("-NOPERM no permissions for __keyspace@0__:secret\r\n");
        var ping = await two.ReadRequestAsync();
        await two.SendAsync(Bulk(ping[1])); // not subscribed to anything: no array
        await stage.Client.ExpectAsync(Confirmation());
        Assert.Contains("NOPERM", Assert.Single(logger.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(logger.Lines, line => line.Contains("secret", StringComparison.Ordinal));

        stage.Test.Time.Advance(TimeSpan.FromSeconds(5));
        await SubscribesAsync(two);
        await two.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n"));
    }

    [Fact]
    public async Task A_lost_connection_is_made_again_and_the_topology_is_asked_to_look()
    {
        await using var stage = new MergeStage();
        var (two, _) = await stage.SubscribedAsync();
        two.Reset();
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(50)); return !stage.NobodyConnects(); }, "it is connected to again");
        var again = await stage.ConnectedAsync("two");
        await SubscribesAsync(again);
        await again.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n"));
        lock (stage.Topology.Hints) Assert.Contains("two:6379", Assert.Single(stage.Topology.Hints), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_master_that_does_not_answer_is_given_up()
    {
        await using var stage = new MergeStage();
        var (two, three) = await stage.SubscribedAsync();
        stage.Test.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("PING", (await two.ReadRequestAsync())[0]);
        await PongsAsync(three);
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromSeconds(1)); return two.IsDisposed; }, "the silent one is given up");
    }

    [Theory]
    [InlineData("?\r\n")]
    [InlineData("*x\r\n")]
    public async Task Bytes_that_are_no_RESP_end_the_connection(string bytes)
    {
        await using var stage = new MergeStage();
        var (two, _) = await stage.SubscribedAsync();
        await two.SendAsync(bytes);
        await Eventually.TrueAsync(() => two.IsDisposed, "the connection is given up");
    }
}
