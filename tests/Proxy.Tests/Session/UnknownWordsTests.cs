using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What happens to an own command where it is not known how the upstream answers an unknown one? It never goes there.</summary>
public sealed class UnknownWordsTests
{
    private const string Full = "-ERR max number of clients reached\r\n";
    private static readonly string Secret = Request("key_evt_amqp.config_set", "h", "1", "u", "canary");

    [Fact]
    public async Task Where_the_question_finds_no_place_it_is_asked_on_the_clients_own_connection()
    {
        await using var test = new SessionUnderTest(echo: _ => Full);
        await test.Client.SendAsync(Request("GET", "a") + Secret + Request("GET", "b"));
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        var line = await test.ReadMarkAsync();
        Assert.Equal("", test.Upstream.Peek()); // nothing but that: one command, one reply, whatever it is
        await test.Upstream.SendAsync("$3\r\n\n-1\r\n" + line);
        var (first, parameter, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + NoSuchParameter(parameter) + last);
        await test.Client.ExpectAsync("$3\r\n\n-1\r\n+DONE\r\n");
        Assert.Equal(["GET", "b"], await test.Upstream.ReadRequestAsync());

        // It is known now, for this connection.
        await test.Client.SendAsync(Request("key_evt_amqp.info"));
        (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync("$-1\r\n" + first + ConfigGranted + last);
        await test.Client.ExpectAsync("$-1\r\n+DONE\r\n");
    }

    [Theory]
    [InlineData("-NOAUTH Authentication required.\r\n")]
    [InlineData("-DENIED Redis is running in protected mode\r\n")]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n")]
    [InlineData("+OK\r\n")]
    [InlineData("\r\n")]
    public async Task An_answer_about_something_else_teaches_nothing(string answer)
    {
        await using var test = new SessionUnderTest(echo: _ => answer);
        await test.Client.SendAsync(Secret);
        await test.Upstream.SendAsync(await test.ReadMarkAsync());
        var (first, parameter, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + NoSuchParameter(parameter) + last);
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    [Fact]
    public async Task An_answer_without_an_end_of_line_is_given_up_before_the_deadline()
    {
        var endless = new string('x', 20_000);
        await using var test = new SessionUnderTest(echo: _ => endless);
        await test.Client.SendAsync(Secret); // time stands still, so no deadline passes
        await test.Upstream.SendAsync(await test.ReadMarkAsync());
        await test.ReadChangeQuestionAsync();
    }

    [Fact]
    public async Task Two_answers_in_different_words_teach_nothing()
    {
        var words = 0;
        await using var test = new SessionUnderTest(echo: name => $"-ERR {words++} unknown command '{name}'\r\n");
        await test.Client.SendAsync(Secret);
        await test.Upstream.SendAsync(await test.ReadMarkAsync());
        await test.ReadChangeQuestionAsync();
    }

    [Fact]
    public async Task An_upstream_that_leaves_the_name_out_never_gets_the_command_and_the_client_is_told_behind_its_replies()
    {
        await using var test = new SessionUnderTest(echo: _ => "-ERR Unknown command\r\n");
        await test.Client.SendAsync(Request("GET", "a") + Secret + Request("GET", "b"));
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
        await test.Upstream.SendAsync("$-1\r\n");
        test.Upstream.Finish();
        var told = await test.Client.ReadToEndAsync();
        Assert.StartsWith("$-1\r\n-ERR keyevt: key_evt_amqp commands cannot be answered here, ", told, StringComparison.Ordinal);
        Assert.Equal(2, told.Count(c => c == '\n'));
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.PlaceUnknown, test.Session.EndReason);
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task That_the_name_is_left_out_is_not_believed_for_long()
    {
        var isSilent = true;
        string Line(string name) => isSilent ? "-ERR unknown command\r\n" : EchoLine(name);
        await using var test = new SessionUnderTest(echo: Line);
        var address = TransportAddress.Tcp("upstream", 6379);
        var probe = test.Session.Services.Probe;
        var opened = test.Time.GetTimestamp();
        Assert.True((await probe.LearnAsync(address, opened, TestContext.Current.CancellationToken)).IsSilent);
        isSilent = false;
        Assert.True((await probe.LearnAsync(address, opened, TestContext.Current.CancellationToken)).IsSilent); // a moment ago
        test.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.NotNull((await probe.LearnAsync(address, opened, TestContext.Current.CancellationToken)).Shape);
        test.Time.Advance(TimeSpan.FromHours(1));
        isSilent = true;
        Assert.NotNull((await probe.LearnAsync(address, opened, TestContext.Current.CancellationToken)).Shape); // of the same process
        Assert.True((await probe.LearnAsync(address, test.Time.GetTimestamp(), TestContext.Current.CancellationToken)).IsSilent);
    }

    [Fact]
    public async Task What_was_learnt_from_an_older_process_is_not_used_when_the_new_one_cannot_be_asked()
    {
        var isFull = false;
        await using var test = new SessionUnderTest(echo: name => isFull ? Full : EchoLine(name));
        var address = TransportAddress.Tcp("upstream", 6379);
        Assert.NotNull((await test.Session.Services.Probe.LearnAsync(address, test.Time.GetTimestamp(), TestContext.Current.CancellationToken)).Shape);
        test.Time.Advance(TimeSpan.FromSeconds(1));
        isFull = true;
        Assert.Null((await test.Session.Services.Probe.LearnAsync(address, test.Time.GetTimestamp(), TestContext.Current.CancellationToken)).Shape);
    }

    [Fact]
    public async Task Where_the_clients_own_connection_does_not_tell_either_the_session_ends_in_time_and_nothing_was_told()
    {
        await using var test = new SessionUnderTest(echo: _ => Full);
        await test.Client.SendAsync(Secret + Request("GET", "b"));
        await test.ReadMarkAsync();
        await test.Upstream.SendAsync("-ERR no\r\n");
        await test.Client.ExpectAsync("-ERR no\r\n"); // one reply for one command
        test.Time.Advance(TimeSpan.FromSeconds(31));
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.PlaceLost, test.Session.EndReason);
        Assert.Equal("", test.Upstream.Peek());
    }

    [Fact]
    public async Task A_client_that_has_sent_its_end_gets_its_reply_all_the_same()
    {
        await using var test = new SessionUnderTest(echo: _ => Full);
        await test.Client.SendAsync(Secret);
        test.Client.Finish();
        await test.Upstream.SendAsync(await test.ReadMarkAsync());
        var (first, parameter, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + NoSuchParameter(parameter) + last);
        await test.Client.ExpectAsync("+DONE\r\n");
    }
}
