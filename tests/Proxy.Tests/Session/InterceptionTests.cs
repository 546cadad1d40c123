using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Does an intercepted command get its reply, and only it, in its place, whatever the upstream's bytes look like?</summary>
public sealed class InterceptionTests
{
    private static readonly string Info = Request("key_evt_amqp.info");

    [Fact]
    public async Task An_intercepted_command_is_answered_in_its_place_between_others()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Request("GET", "a") + Request("KEY_evt_amqp.connect", "secret") + Request("GET", "b"));
        Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
        var (first, parameter, last) = await test.ReadChangeQuestionAsync(); // the command's own arguments are not there
        await test.Upstream.SendAsync("$1\r\n1\r\n" + first + NoSuchParameter(parameter) + last);
        await test.Client.ExpectAsync("$1\r\n1\r\n+DONE\r\n");
        Assert.Equal(["GET", "b"], await test.Upstream.ReadRequestAsync());
        await test.Upstream.SendAsync("$1\r\n2\r\n");
        await test.Client.ExpectAsync("$1\r\n2\r\n");
        Assert.Equal(["KEY_evt_amqp.connect secret"], test.Executed);
    }

    [Fact]
    public async Task A_pipelined_command_after_an_intercepted_one_waits_its_turn()
    {
        await using var test = new SessionUnderTest();
        var running = new TaskCompletionSource();
        test.Execute = _ => running.Task;
        await test.Client.SendAsync(Info + "PING\r\n");
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync("+earlier\r\n" + first + ConfigGranted + last);
        await test.Client.ExpectAsync("+earlier\r\n"); // goes out before the command, which may take its time, is through
        await Eventually.TrueAsync(() => test.Executed.Count == 1, "the command runs");
        Assert.Equal("", test.Upstream.Peek());
        running.SetResult();
        await test.Client.ExpectAsync("+DONE\r\n");
        await test.Upstream.ExpectAsync("PING\r\n");
    }

    [Fact]
    public async Task Two_intercepted_commands_in_one_packet_are_answered_one_after_the_other()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info + "key_evt_amqp.help\r\n" + "PING\r\n");
        for (var i = 0; i < 2; i++)
        {
            var (first, last) = await test.ReadConfigQuestionAsync();
            await test.Upstream.SendAsync(first + ConfigGranted + last);
            await test.Client.ExpectAsync("+DONE\r\n");
        }

        await test.Upstream.ExpectAsync("PING\r\n");
        Assert.Equal(["key_evt_amqp.info", "key_evt_amqp.help"], test.Executed);
    }

    [Fact]
    public async Task The_request_may_be_split_at_every_byte()
    {
        var stream = Request("GET", "a") + Request("Key_Evt_Amqp.info") + "PING\r\n";
        for (var at = 1; at < stream.Length; at++)
        {
            await using var test = new SessionUnderTest();
            await test.Client.SendAsync(stream[..at]);
            await Task.Yield();
            await test.Client.SendAsync(stream[at..]);
            Assert.Equal(["GET", "a"], await test.Upstream.ReadRequestAsync());
            var (first, last) = await test.ReadConfigQuestionAsync();
            await test.Upstream.SendAsync("$-1\r\n" + first + ConfigGranted + last);
            await test.Client.ExpectAsync("$-1\r\n+DONE\r\n");
            await test.Upstream.ExpectAsync("PING\r\n");
        }
    }

    [Fact]
    public async Task The_upstreams_bytes_may_be_split_at_every_byte()
    {
        const string Push = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n-E\r\n";
        for (var at = 1; ; at++)
        {
            await using var test = new SessionUnderTest();
            await test.Client.SendAsync(Info);
            var (first, last) = await test.ReadConfigQuestionAsync();
            var stream = "-ERR unknown command 'key_evt_amqp.1\r\n" + first + Push + ConfigGranted + Push + last + "+next\r\n";
            if (at == stream.Length) return;
            await test.Upstream.SendAsync(stream[..at]);
            await Task.Yield();
            await test.Upstream.SendAsync(stream[at..]);
            await test.Client.ExpectAsync("-ERR unknown command 'key_evt_amqp.1\r\n" + Push + Push + "+DONE\r\n+next\r\n");
        }
    }

    [Fact]
    public async Task The_upstreams_bytes_may_come_one_by_one()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        foreach (var c in "+before\r\n" + first + "+12.3 [0 x] \"get\"\r\n" + ConfigGranted + last + "+behind\r\n")
        {
            await test.Upstream.SendAsync(c.ToString());
            await Task.Yield();
        }

        await test.Client.ExpectAsync("+before\r\n+12.3 [0 x] \"get\"\r\n+DONE\r\n+behind\r\n");
    }

    [Fact]
    public async Task What_may_be_the_beginning_of_a_mark_is_held_and_let_go_when_it_is_none()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync("+a\r\n" + first[..40]);
        await test.Client.ExpectAsync("+a\r\n");
        Assert.Equal("", test.Client.Peek());
        await test.Upstream.SendAsync("x\r\n");
        await test.Client.ExpectAsync(first[..40] + "x\r\n");
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    [Fact]
    public async Task What_was_held_goes_out_when_the_upstream_ends_there()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, _) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first[..30]);
        test.Upstream.Finish();
        Assert.Equal(first[..30], await test.Client.ReadToEndAsync());
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task A_mark_of_another_number_is_an_ordinary_reply()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        var forged = EchoLine("key_evt_amqp." + new string('1', 38));
        await test.Upstream.SendAsync(forged + ConfigGranted + first + "-NOPERM no\r\n" + last);
        await test.Client.ExpectAsync(forged + ConfigGranted + "-NOPERM no\r\n");
        Assert.Empty(test.Executed);
    }

    [Theory]
    [InlineData("*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", "+DONE\r\n")]
    [InlineData("%1\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE\r\n", "+DONE\r\n")]
    [InlineData("-NOAUTH Authentication required.\r\n", "-NOAUTH Authentication required.\r\n")]
    [InlineData("-NOPERM this user\r\n", "-NOPERM this user\r\n")]
    [InlineData("-ERR unknown command 'CONFIG', with args beginning with: 'GET' \r\n", "-ERR unknown command 'CONFIG', with args beginning with: 'GET' \r\n")]
    [InlineData("+QUEUED\r\n", "-ERR key_evt_amqp commands are not allowed inside MULTI\r\n")]
    [InlineData("", NotAllowed)]
    [InlineData("*0\r\n", NotAllowed)]
    [InlineData("%0\r\n", NotAllowed)]
    [InlineData("*-1\r\n", NotAllowed)]
    [InlineData("$-1\r\n", NotAllowed)]
    [InlineData("+OK\r\n", NotAllowed)]
    [InlineData(":1\r\n", NotAllowed)]
    [InlineData("$22\r\nnotify-keyspace-events\r\n", NotAllowed)]
    [InlineData("*2\r\n$22\r\nnotify-keyspace-eventz\r\n$0\r\n\r\n", NotAllowed)]
    [InlineData("*2\r\n$22\r\nnotify-keyspace-events\r\n:1\r\n", NotAllowed)]
    [InlineData("*1\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", NotAllowed)]
    [InlineData("*4\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n+x\r\n+y\r\n", NotAllowed)]
    [InlineData("*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", NotAllowed)]
    [InlineData("-NOPERM a\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", NotAllowed)]
    [InlineData("|1\r\n+ttl\r\n:1\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n", NotAllowed)]
    public async Task Only_what_begins_as_a_successful_answer_is_a_yes(string answer, string reply)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + answer + last + "+next\r\n");
        await test.Client.ExpectAsync(reply + "+next\r\n");
        Assert.Equal(reply == "+DONE\r\n" ? 1 : 0, test.Executed.Count);
    }

    [Theory]
    [InlineData(">2\r\n$22\r\nnotify-keyspace-events\r\n$0\r\n\r\n")]
    [InlineData(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$43\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE\r\n\r\n\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$22\r\nnotify-keyspace-events\r\n$1\r\nx\r\n")]
    [InlineData("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$43\r\n*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE\r\n\r\n\r\n")]
    [InlineData("*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nx\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n")]
    [InlineData("+1700000000.123456 [0 127.0.0.1:1] \"*2\\r\\n$22\\r\\nnotify-keyspace-events\"\r\n")]
    public async Task What_others_make_arrive_between_the_marks_is_passed_on_and_never_a_yes(string outOfBand)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + outOfBand + "-NOPERM no\r\n" + outOfBand + last);
        await test.Client.ExpectAsync(outOfBand + outOfBand + "-NOPERM no\r\n");
        await test.Client.SendAsync(Info);
        (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + outOfBand + last);
        await test.Client.ExpectAsync(outOfBand + NotAllowed);
        Assert.Empty(test.Executed);
    }

    [Fact]
    public async Task A_large_push_between_the_marks_is_not_collected()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + ">2\r\n$1\r\na\r\n$1000000\r\n");
        await test.Client.ExpectAsync(">2\r\n$1\r\na\r\n$1000000\r\n");
        var part = new string('x', 1000);
        for (var i = 0; i < 1000; i++)
        {
            await test.Upstream.SendAsync(part);
            await test.Client.ExpectAsync(part);
        }

        await test.Upstream.SendAsync("\r\n" + ConfigGranted + last);
        await test.Client.ExpectAsync("\r\n+DONE\r\n");
    }

    [Fact]
    public async Task An_upstream_with_other_words_is_understood()
    {
        await using var test = new SessionUnderTest(echo: name => $"-ERR no such thing `{name}`!\r\n");
        await test.Client.SendAsync(Info);
        var mark = (await test.Upstream.ReadRequestAsync())[0];
        Assert.Equal("CONFIG", (await test.Upstream.ReadRequestAsync())[0]);
        var last = (await test.Upstream.ReadRequestAsync())[0];
        await test.Upstream.SendAsync($"-ERR no such thing `{mark}`!\r\n{ConfigGranted}-ERR no such thing `{last}`!\r\n");
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    [Theory]
    [InlineData("$5\r\nalice\r\n", "+DONE\r\n")]
    [InlineData("$3\r\nbob\r\n", NotAdmin)]
    [InlineData("$5\r\nALICE\r\n", NotAdmin)]
    [InlineData("$-1\r\n", NotAdmin)]
    [InlineData("+alice\r\n", NotAdmin)]
    [InlineData("$5\r\nalice\r\n$5\r\nalice\r\n", NotAdmin)]
    [InlineData("-NOPERM no\r\n", "-NOPERM no\r\n")]
    public async Task Where_CONFIG_does_not_exist_the_users_of_admin_users_may(string answer, string reply)
    {
        await using var test = new SessionUnderTest(adminUsers: ["alice"]);
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + "-ERR unknown command `CONFIG`, with args beginning with: `GET`, \r\n" + last + "+1.0 [] \"x\"\r\n");
        (first, last) = await test.ReadQuestionAsync("ACL", "WHOAMI");
        await test.Upstream.SendAsync(first + answer + last);
        await test.Client.ExpectAsync("+1.0 [] \"x\"\r\n" + reply);
    }

    [Theory]
    [InlineData("-NOPERM this user has no permissions to run the 'config|get' command\r\n")]
    [InlineData("-NOAUTH Authentication required.\r\n")]
    public async Task A_lack_of_rights_to_CONFIG_is_no_reason_to_ask_for_the_user(string answer)
    {
        await using var test = new SessionUnderTest(adminUsers: ["alice"]);
        await test.Client.SendAsync(Info);
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + answer + last);
        await test.Client.ExpectAsync(answer);
    }

    private const string NotAllowed = "-NOPERM this key_evt_amqp command is for users who may CONFIG GET the upstream Redis\r\n";
    private const string NotAdmin = "-NOPERM key_evt_amqp commands are for the users named in --admin-users\r\n";
}
