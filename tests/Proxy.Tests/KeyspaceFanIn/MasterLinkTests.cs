using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Proxy.Tests.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.KeyspaceFanIn.FanInStage;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>What is said to another master, and what if it does not answer as it should?</summary>
public sealed class MasterLinkTests
{
    [Fact]
    public async Task The_login_comes_first_and_alone()
    {
        await using var stage = new FanInStage(password: "word");
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        foreach (var name in (string[])["two", "three"])
        {
            var master = await stage.ConnectedAsync(name);
            Assert.Equal(["AUTH", "word"], await master.ReadRequestAsync());
            Assert.Equal("", master.Peek());
            await master.SendAsync("+OK\r\n");
            await BeginsAsync(master);
        }

        await stage.Client.ExpectAsync(Confirmation());
    }

    [Fact]
    public async Task A_fault_of_the_program_ends_the_session_and_is_not_tried_again()
    {
        var logger = new RecordingLogger();
        await using var stage = new FanInStage(logger: logger) { Bug = new InvalidTimeZoneException("the fault") };
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        await Eventually.TrueAsync(() => stage.Client.IsAborted, "the session ends");
        Assert.Contains(logger.Lines, line => line.StartsWith("Error 1111", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_login_is_said_without_the_words_of_the_server_and_tried_again()
    {
        var logger = new RecordingLogger();
        await using var stage = new FanInStage(password: "word", logger: logger);
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
        await using var stage = new FanInStage(logger: logger);
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        await BeginsAsync(await stage.ConnectedAsync("three"));
        var two = await stage.ConnectedAsync("two");
        await IsLoadedAsync(two);
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
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync();
        two.Reset();
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(50)); return !stage.NobodyConnects(); }, "it is connected to again");
        var again = await stage.ConnectedAsync("two");
        await BeginsAsync(again);
        await again.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Message("n"));
        lock (stage.Topology.Hints) Assert.Contains("two:6379", Assert.Single(stage.Topology.Hints), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_given_up_when_its_master_answers_another_one()
    {
        await using var stage = new FanInStage();
        var (two, _) = await SilentAsync(stage);
        var witness = await WitnessAsync(stage);
        await witness.SendAsync("-NOAUTH Authentication required.\r\n"); // which is an answer, too
        await Eventually.TrueAsync(() => witness.IsDisposed, "the other connection is closed");
        Assert.False(two.IsDisposed);
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(100)); return two.IsDisposed; }, "the silent one is given up");
    }

    [Fact]
    public async Task A_master_that_answers_nobody_is_busy_and_what_it_says_then_is_delivered()
    {
        await using var stage = new FanInStage();
        var (two, ping) = await SilentAsync(stage);
        for (var asked = 0; asked < 5; asked++)
        {
            var witness = await WitnessAsync(stage);
            await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromSeconds(1)); return witness.IsDisposed; }, "the other connection is closed");
        }

        Assert.False(two.IsDisposed);
        await two.SendAsync(Message("late") + Pong(ping));
        await stage.Client.ExpectAsync(Message("late"));
    }

    [Fact]
    public async Task What_comes_on_the_silent_connection_after_the_master_has_answered_another_one_keeps_it()
    {
        await using var stage = new FanInStage();
        var (two, ping) = await SilentAsync(stage);
        var witness = await WitnessAsync(stage);
        await witness.SendAsync("+PONG\r\n");
        await two.SendAsync(Message("late") + Pong(ping));
        await stage.Client.ExpectAsync(Message("late"));
        stage.Test.Time.Advance(TimeSpan.FromSeconds(5));
        await PongsAsync(two);
        Assert.False(two.IsDisposed);
    }

    [Fact]
    public async Task A_master_that_answers_nobody_for_minutes_is_given_up()
    {
        await using var stage = new FanInStage();
        var (two, _) = await SilentAsync(stage);
        var begun = stage.Test.Time.GetUtcNow();
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromSeconds(5)); return two.IsDisposed; }, "the silent one is given up");
        Assert.True(stage.Test.Time.GetUtcNow() - begun >= TimeSpan.FromMinutes(4.9));
    }

    [Fact]
    public async Task A_master_that_loads_its_data_is_subscribed_to_when_it_is_done()
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        var two = await stage.ConnectedAsync("two");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(["PING"], await two.ReadRequestAsync());
            await two.SendAsync("-LOADING Redis is loading the dataset in memory\r\n");
            await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(10)); return two.Peek().Length > 0; }, "it is asked again");
        }

        await BeginsAsync(two);
        await BeginsAsync(await stage.ConnectedAsync("three"));
        await two.SendAsync(Message("n"));
        await stage.Client.ExpectAsync(Confirmation() + Message("n"));
    }

    /// <summary>The master "two" has not answered for five seconds; "three" has.</summary>
    private static async Task<(MemoryConnection Two, string Ping)> SilentAsync(FanInStage stage)
    {
        var (two, three) = await stage.SubscribedAsync();
        stage.Test.Time.Advance(TimeSpan.FromSeconds(5));
        var ping = await two.ReadRequestAsync();
        Assert.Equal("PING", ping[0]);
        await PongsAsync(three);
        return (two, ping[1]);
    }

    private static async Task<MemoryConnection> WitnessAsync(FanInStage stage)
    {
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromSeconds(1)); return stage.IsConnectedTo("two"); }, "another connection");
        var witness = await stage.ConnectedAsync("two");
        Assert.Equal(["PING"], await witness.ReadRequestAsync());
        return witness;
    }

    [Theory]
    [InlineData("?\r\n")]
    [InlineData("*x\r\n")]
    public async Task Bytes_that_are_no_RESP_end_the_connection(string bytes)
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync();
        await two.SendAsync(bytes);
        await Eventually.TrueAsync(() => two.IsDisposed, "the connection is given up");
    }
}
