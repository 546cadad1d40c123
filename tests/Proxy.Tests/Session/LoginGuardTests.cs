using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What happens to an own command at an upstream that asks who calls before it looks a command up, as Valkey 9 does?</summary>
public sealed class LoginGuardTests
{
    private const string NoAuth = "-NOAUTH Authentication required.\r\n";
    private static readonly string Change = Request("key_evt_amqp.config_set", "h", "1", "u", "canary");

    [Fact]
    public async Task A_client_that_has_not_logged_in_is_refused_once_and_goes_on()
    {
        await using var test = NewSession();
        await test.Client.SendAsync(Request("GET", "a") + Change + Request("AUTH", "p"));
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        var (_, guard, _) = await ReadWordsAsync(test);
        Assert.Equal("", test.Upstream.Peek()); // nothing overtakes it
        await SendInPiecesAsync(test, NoAuth + NoAuth + HelloLine(guard) + NoAuth);
        await test.Client.ExpectAsync(NoAuth + NoAuth); // of the GET, and of the command
        Assert.Equal(["AUTH", "p"], await test.Upstream.ReadRequestAsync());
        await test.Upstream.SendAsync("+OK\r\n");
        await test.Client.ExpectAsync("+OK\r\n");
        Assert.Empty(test.Executed);

        // As it has logged in, the words are learnt on its connection now.
        await LearnAsync(test, Change);
    }

    [Fact]
    public async Task One_that_has_logged_in_is_answered_and_what_the_guard_is_told_is_dropped()
    {
        await using var test = NewSession();
        await LearnAsync(test, Change);
        Assert.Single(test.Executed);

        await test.Client.SendAsync(Request("key_evt_amqp.info"));
        var (first, guard, last) = await ReadQuestionAsync(test);
        await SendInPiecesAsync(test, "$1\r\na\r\n" + EchoLine(first) + HelloLine(guard) + ConfigGranted + EchoLine(last));
        await test.Client.ExpectAsync("$1\r\na\r\n+DONE\r\n");
        Assert.Equal(2, test.Executed.Count);
    }

    [Fact]
    public async Task Inside_MULTI_the_guard_is_queued_and_the_command_refused()
    {
        await using var test = NewSession();
        await LearnAsync(test, Change);
        await test.Client.SendAsync(Request("key_evt_amqp.info"));
        var (first, _, last) = await ReadQuestionAsync(test);
        await SendInPiecesAsync(test, EchoLine(first) + "+QUEUED\r\n+QUEUED\r\n" + EchoLine(last) + "+more\r\n");
        await test.Client.ExpectAsync("-ERR key_evt_amqp commands are not allowed inside MULTI\r\n+more\r\n");
    }

    [Fact]
    public async Task A_push_between_the_marks_is_the_clients_whatever_the_guard_is_told()
    {
        await using var test = NewSession();
        await LearnAsync(test, Change);
        await test.Client.SendAsync(Request("key_evt_amqp.info"));
        var (first, guard, last) = await ReadQuestionAsync(test);
        const string push = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$6\r\n-ERR x\r\n";
        await SendInPiecesAsync(test, EchoLine(first) + push + HelloLine(guard) + push + ConfigGranted + push + EchoLine(last));
        await test.Client.ExpectAsync(push + push + push + "+DONE\r\n");
    }

    [Fact]
    public async Task One_that_has_logged_out_again_is_refused_once_and_goes_on()
    {
        await using var test = NewSession();
        await LearnAsync(test, Change);
        await test.Client.SendAsync(Request("key_evt_amqp.info") + "PING\r\n");
        var (_, guard, _) = await ReadQuestionAsync(test);
        await SendInPiecesAsync(test, "+RESET\r\n" + NoAuth + HelloLine(guard) + NoAuth + NoAuth);
        await test.Client.ExpectAsync("+RESET\r\n" + NoAuth);
        await test.Upstream.ExpectAsync("PING\r\n");
        await test.Upstream.SendAsync(NoAuth);
        await test.Client.ExpectAsync(NoAuth);
        Assert.Single(test.Executed);
    }

    [Fact]
    public async Task A_malformed_request_of_one_that_has_logged_out_again_gets_its_error_behind_the_replies()
    {
        await using var test = NewSession();
        await LearnAsync(test, Change);
        await test.Client.SendAsync("*x\r\n");
        await test.ReadMarkAsync();
        var guard = await ReadGuardAsync(test);
        await SendInPiecesAsync(test, "+RESET\r\n" + NoAuth + HelloLine(guard));
        Assert.Equal("+RESET\r\n-ERR Protocol error: invalid multibulk length\r\n", await test.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task Before_replies_are_switched_off_the_words_are_learnt()
    {
        await using var test = NewSession();
        await test.Client.SendAsync(Request("CLIENT", "REPLY", "OFF") + Request("key_evt_amqp.info") + Request("CLIENT", "REPLY", "ON"));
        var (mark, guard, end) = await ReadWordsAsync(test);
        Assert.Equal("", test.Upstream.Peek());
        await SendInPiecesAsync(test, EchoLine(mark) + HelloLine(guard) + EchoLine(end));
        Assert.Equal(["CLIENT", "REPLY", "OFF"], await test.Upstream.ReadRequestAsync());
        var (_, _, first, last) = await test.ReadQuestionOfSilentAsync();
        await test.Upstream.SendAsync("+OK\r\n" + first + ConfigGranted + last);
        Assert.Equal(["CLIENT", "REPLY", "OFF"], await test.Upstream.ReadRequestAsync()); // as it was
        Assert.Equal(["CLIENT", "REPLY", "ON"], await test.Upstream.ReadRequestAsync());
        await test.Upstream.SendAsync("+OK\r\n");
        await test.Client.ExpectAsync("+OK\r\n");
        Assert.Single(test.Executed);
    }

    [Fact]
    public async Task A_client_without_login_that_wants_its_replies_off_is_told_what_the_upstream_says_and_nothing_else()
    {
        await using var test = NewSession();
        await test.Client.SendAsync(Request("GET", "a") + Request("CLIENT", "REPLY", "OFF"));
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        var (_, guard, _) = await ReadWordsAsync(test);
        await SendInPiecesAsync(test, NoAuth + NoAuth + HelloLine(guard) + NoAuth);
        Assert.Equal(["CLIENT", "REPLY", "OFF"], await test.Upstream.ReadRequestAsync());
        await test.Upstream.SendAsync(NoAuth);
        await test.Client.ExpectAsync(NoAuth + NoAuth);
    }

    [Fact]
    public async Task A_command_larger_than_a_client_without_login_may_send_ends_the_session_in_Redis_words()
    {
        await using var test = NewSession();
        await test.Client.SendAsync(Request("key_evt_amqp.keymask_add", new string('m', 16385)) + "PING\r\n");
        var (_, guard, _) = await ReadWordsAsync(test);
        await SendInPiecesAsync(test, NoAuth + HelloLine(guard) + NoAuth);
        Assert.Equal("", await test.Upstream.ReadToEndAsync());
        test.Upstream.Finish();
        Assert.Equal("-ERR Protocol error: unauthenticated bulk length\r\n", await test.Client.ReadToEndAsync());
        await test.Client.SendAsync(new string('m', 5 * MemoryConnection.PauseBytes)); // it is taken in and dropped, so that the client sees no reset
        Assert.False(test.Client.IsDisposed);
        test.Client.Finish();
        await test.EndedAsync();
        Assert.Equal(SessionEndReason.ProtocolError, test.Session.EndReason);
    }

    private static SessionUnderTest NewSession() =>
        new(echo: request => request.StartsWith("HELLO 2 ", StringComparison.Ordinal) ? HelloLine(request[8..]) : NoAuth);

    private static string HelloLine(string name) => $"-ERR Syntax error in HELLO option '{name}'\r\n";

    /// <summary>The client gives its first own command of the connection, and is told that it is done.</summary>
    private static async Task LearnAsync(SessionUnderTest test, string change)
    {
        await test.Client.SendAsync(change);
        var (mark, guard, end) = await ReadWordsAsync(test);
        await SendInPiecesAsync(test, EchoLine(mark) + HelloLine(guard) + EchoLine(end));
        var first = await ReadNameAsync(test);
        guard = await ReadGuardAsync(test);
        var question = await test.Upstream.ReadRequestAsync();
        Assert.Equal(["CONFIG", "SET"], question[..2]);
        var last = await ReadNameAsync(test);
        await SendInPiecesAsync(test, EchoLine(first) + HelloLine(guard) + NoSuchParameter(question[2]) + EchoLine(last));
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    private static async Task<(string Mark, string Guard, string Last)> ReadWordsAsync(SessionUnderTest test) =>
        (await ReadNameAsync(test), await ReadGuardAsync(test), await ReadNameAsync(test));

    private static async Task<(string First, string Guard, string Last)> ReadQuestionAsync(SessionUnderTest test)
    {
        var first = await ReadNameAsync(test);
        var guard = await ReadGuardAsync(test);
        Assert.Equal(["CONFIG", "GET", "notify-keyspace-events"], await test.Upstream.ReadRequestAsync());
        return (first, guard, await ReadNameAsync(test));
    }

    private static async Task<string> ReadNameAsync(SessionUnderTest test)
    {
        var mark = await test.Upstream.ReadRequestAsync();
        Assert.Matches("^key_evt_amqp\\.[0-9]{38}$", Assert.Single(mark));
        return mark[0];
    }

    private static async Task<string> ReadGuardAsync(SessionUnderTest test)
    {
        var hello = await test.Upstream.ReadRequestAsync();
        Assert.Equal(["HELLO", "2"], hello[..2]);
        Assert.Matches("^key_evt_amqp\\.[0-9]{38}$", hello[2]);
        return hello[2];
    }

    /// <summary>Byte by byte: every cut is between two of them.</summary>
    private static async Task SendInPiecesAsync(SessionUnderTest test, string replies)
    {
        foreach (var one in replies) await test.Upstream.SendAsync(one.ToString());
    }
}
