using KeyEvt.Proxy.Tests.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.KeyspaceFanIn.FanInStage;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.KeyspaceFanIn;

/// <summary>When are the other masters subscribed for a client, and what does it get meanwhile?</summary>
public sealed class FanInSubscribeTests
{
    [Theory]
    [InlineData('*')]
    [InlineData('>')]
    public async Task The_confirmation_of_the_own_node_reaches_the_client_once_all_masters_are_subscribed(char type)
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync("PING\r\n" + Subscribe + "PING\r\n");
        await stage.Upstream.ExpectAsync("PING\r\n");
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        foreach (var each in "+PONG\r\n" + first + Confirmation(type: type) + Message("own", type) + last)
        {
            await stage.Upstream.SendAsync(each.ToString());
        }

        await stage.Client.ExpectAsync("+PONG\r\n");
        await BeginsAsync(await stage.ConnectedAsync("two"));
        var three = await stage.ConnectedAsync("three");
        await IsLoadedAsync(three);
        Assert.Equal(["PSUBSCRIBE", Pattern], await three.ReadRequestAsync());
        Assert.Equal(("", ""), (stage.Client.Peek(), stage.Upstream.Peek()));
        await PongsAsync(three);
        await stage.Client.ExpectAsync(Confirmation(type: type) + Message("own", type));
        await stage.Upstream.ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task All_names_of_a_request_are_confirmed_and_only_those_of_keyspace_notifications_are_merged()
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync("subscribe news __keyspace@0__:a\r\n");
        var (first, last) = await stage.Test.ReadQuestionAsync("subscribe", "news", "__keyspace@0__:a");
        var answer = Confirmation(1, name: "news", word: "subscribe") + Confirmation(2, name: "__keyspace@0__:a", word: "subscribe");
        await stage.Upstream.SendAsync(first + answer + last);
        foreach (var master in (string[])["two", "three"])
        {
            await BeginsAsync(await stage.ConnectedAsync(master), "__keyspace@0__:a", "SUBSCRIBE");
        }

        await stage.Client.ExpectAsync(answer);
    }

    [Fact]
    public async Task A_refusal_is_passed_on_and_nobody_is_subscribed()
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Message("x", name: "other") + "-NOPERM no\r\n" + last + "+next\r\n");
        await stage.Client.ExpectAsync(Message("x", name: "other") + "-NOPERM no\r\n+next\r\n");
        Assert.True(stage.NobodyConnects());
    }

    [Fact]
    public async Task What_looks_like_a_confirmation_proves_nothing_outside_of_the_marks()
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync("EVAL x 0\r\n" + Subscribe);
        await stage.Upstream.ExpectAsync("EVAL x 0\r\n");
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(Confirmation() + first + "-NOPERM no\r\n" + last + Confirmation() + Confirmation(type: '>'));
        await stage.Client.ExpectAsync(Confirmation() + "-NOPERM no\r\n" + Confirmation() + Confirmation(type: '>'));
        Assert.True(stage.NobodyConnects());
    }

    [Fact]
    public async Task A_message_that_holds_a_confirmation_proves_nothing_between_them_either()
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        var like = $"*3\r\n{Bulk("message")}{Bulk("psubscribe")}{Bulk(Pattern)}>3\r\n{Bulk("psubscribe")}{Bulk(Pattern)}{Bulk("1")}";
        await stage.Upstream.SendAsync(first + like + "-NOPERM no\r\n" + last);
        await stage.Client.ExpectAsync(like + "-NOPERM no\r\n");
        Assert.True(stage.NobodyConnects());
    }

    [Theory]
    [InlineData("PSUBSCRIBE *\r\n")]
    [InlineData("SUBSCRIBE news\r\n")]
    [InlineData("SSUBSCRIBE __keyevent@0__:set\r\n")]
    [InlineData("GET __keyevent@0__:set\r\n")]
    [InlineData("HELLO 3\r\n")]
    [InlineData("MULTI\r\nPSUBSCRIBE __keyevent@*__:set\r\nEXEC\r\n")]
    [InlineData("MULTI\r\nPSUBSCRIBE __keyevent@*__:set\r\nDISCARD\r\nUNSUBSCRIBE\r\nRESET\r\n")]
    [InlineData("CLIENT REPLY SKIP\r\nPSUBSCRIBE __keyevent@*__:set\r\n")]
    public async Task Everything_else_goes_upstream_as_it_is(string requests)
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync(requests);
        await stage.Upstream.ExpectAsync(requests);
        await stage.Upstream.SendAsync(Confirmation());
        await stage.Client.ExpectAsync(Confirmation());
        Assert.True(stage.NobodyConnects());
    }

    [Theory]
    [InlineData("EXEC")]
    [InlineData("DISCARD")]
    [InlineData("RESET")]
    public async Task Behind_a_transaction_it_is_merged_again(string end)
    {
        await using var stage = new FanInStage();
        await stage.Client.SendAsync($"MULTI\r\n{end}\r\n");
        await stage.Upstream.ExpectAsync($"MULTI\r\n{end}\r\n");
        await stage.SubscribedAsync();
    }

    [Fact]
    public async Task A_master_that_is_away_is_waited_for_a_while_and_followed_when_it_is_back()
    {
        await using var stage = new FanInStage();
        lock (stage.Dead) stage.Dead.Add("two");
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        await BeginsAsync(await stage.ConnectedAsync("three"));
        Assert.Equal("", stage.Client.Peek());
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromSeconds(1)); return stage.Client.Peek() == Confirmation(); }, "the confirmation comes without the missing master");
        lock (stage.Dead) stage.Dead.Clear();
        await Eventually.TrueAsync(() => { stage.Test.Time.Advance(TimeSpan.FromMilliseconds(100)); return !stage.NobodyConnects(); }, "it is tried again");
        var two = await stage.ConnectedAsync("two");
        await BeginsAsync(two);
        await two.SendAsync(Message("a"));
        await stage.Client.ExpectAsync(Confirmation() + Message("a"));
    }

    [Fact]
    public async Task A_client_that_has_gone_while_masters_are_waited_for_is_not_waited_with()
    {
        await using var stage = new FanInStage();
        lock (stage.Dead) stage.Dead.Add("two");
        await stage.Client.SendAsync(Subscribe);
        var (first, last) = await stage.Test.ReadQuestionAsync("PSUBSCRIBE", Pattern);
        await stage.Upstream.SendAsync(first + Confirmation() + last);
        await stage.ConnectedAsync("three");
        stage.Client.Reset();
        await stage.Test.EndedAsync();
        Assert.Equal(["0", "0", "0"], stage.Services.Fields.Select(field => field.Value));
    }

    [Fact]
    public async Task What_unsubscribes_and_is_too_large_to_be_looked_at_ends_the_merging()
    {
        await using var stage = new FanInStage();
        var (two, _) = await stage.SubscribedAsync('>');
        var large = Request("PUNSUBSCRIBE", Pattern, new string('x', 70_000));
        var sending = stage.Client.SendAsync(large);
        await stage.Upstream.ExpectAsync(large);
        await sending;
        await Eventually.TrueAsync(() => two.IsDisposed, "the connection to the other master is closed");
    }
}
