using KeyEvt.Proxy.Intercept;
using KeyEvt.Proxy.Session;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Which right does a command need, and which answers of the upstream prove it?</summary>
public sealed class RightTests
{
    private static readonly string Clean = Request("key_evt_amqp.keymask_clean");

    [Theory]
    [InlineData("config_get", "Read")]
    [InlineData("events_get", "Read")]
    [InlineData("keymask_get", "Read")]
    [InlineData("rule_get", "Read")]
    [InlineData("info", "Read")]
    [InlineData("help", "Read")]
    [InlineData("config_set", "Change")]
    [InlineData("config_reset", "Change")]
    [InlineData("connect", "Change")]
    [InlineData("disconnect", "Change")]
    [InlineData("events_set", "Change")]
    [InlineData("fallback_storage_size_set", "Change")]
    [InlineData("keymask_add", "Change")]
    [InlineData("keymask_set", "Change")]
    [InlineData("keymask_clean", "Change")]
    [InlineData("rule_add", "Change")]
    [InlineData("rule_clean", "Change")]
    [InlineData("format_set", "Change")]
    public void Each_command_has_its_right(string name, string right) => Assert.Equal(right, CommandTable.All.Single(entry => entry.Name == name).Right.ToString());

    [Fact]
    public void No_command_is_without_a_line_above() =>
        Assert.Equal(CommandTable.All.Count, typeof(RightTests).GetMethod(nameof(Each_command_has_its_right))!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false).Length);

    [Theory]
    [InlineData("key_evt_amqp.nosuch")] // is told that it does not exist
    [InlineData("KEY_EVT_AMQP.Info")]
    [InlineData("key_evt_amqp.config_get", "port")]
    public async Task What_only_tells_something_asks_for_CONFIG_GET(params string[] command)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Request(command));
        var (first, last) = await test.ReadConfigQuestionAsync();
        await test.Upstream.SendAsync(first + ConfigGranted + last);
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    [Fact]
    public async Task A_large_command_of_somebody_without_the_right_is_refused_and_the_session_goes_on()
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Request("key_evt_amqp.keymask_add", new string('m', 20_000)) + Request("PING"));
        var (first, _, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + "-NOPERM this user has no permissions to run the 'config|set' command\r\n" + last);
        Assert.Equal(["PING"], await test.Upstream.ReadRequestAsync());
        Assert.Empty(test.Executed);
        Assert.Equal(SessionEndReason.None, test.Session.EndReason);
    }

    [Theory]
    [InlineData("key_evt_amqp.connect")]
    [InlineData("KEY_EVT_AMQP.Config_Set", "h")]
    [InlineData("key_evt_amqp.keymask_clean", "too", "many")]
    [InlineData("MODULE", "LOAD", "/x/redis_keyspace_amqp.so")]
    [InlineData("module", "unload", "KEY_EVT_AMQP")]
    public async Task What_changes_something_asks_for_CONFIG_SET_with_a_new_name_each_time(params string[] command)
    {
        await using var test = new SessionUnderTest();
        var names = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            await test.Client.SendAsync(Request(command));
            var (first, parameter, last) = await test.ReadChangeQuestionAsync();
            Assert.True(names.Add(parameter));
            await test.Upstream.SendAsync(first + NoSuchParameter(parameter) + last);
            await test.Client.ExpectAsync("+DONE\r\n");
        }
    }

    /// <summary>{n} is the name in the question.</summary>
    [Theory]
    [InlineData("-ERR Unknown option or number of arguments for CONFIG SET - '{n}'\r\n", "+DONE\r\n")]
    [InlineData("-ERR Unsupported CONFIG parameter: {n}\r\n", "+DONE\r\n")] // Redis 6
    [InlineData(">2\r\n+a\r\n+b\r\n-ERR Unsupported CONFIG parameter: {n}\r\n", ">2\r\n+a\r\n+b\r\n+DONE\r\n")]
    [InlineData("-NOPERM this user has no permissions to run the 'config|set' command\r\n", null)]
    [InlineData("-NOAUTH Authentication required.\r\n", null)]
    [InlineData("-BUSY Redis is busy running a script.\r\n", null)]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", null)]
    [InlineData("-MASTERDOWN Link with MASTER is down\r\n", null)]
    [InlineData("-ERR Can't execute 'config|set': only (P|S)SUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n", null)]
    [InlineData("-ERR unknown command 'CONFIG', with args beginning with: 'SET' '{n}' '1' \r\n", null)]
    [InlineData("-ERR Unknown option or number of arguments for CONFIG SET - 'key_evt_amqp.1'\r\n", null)]
    [InlineData("-ERR Unknown option or number of arguments for CONFIG SET - '{n}' \r\n", null)]
    [InlineData("-NOPERM Unknown option or number of arguments for CONFIG SET - '{n}'\r\n", null)]
    [InlineData("+QUEUED\r\n", "-ERR key_evt_amqp commands are not allowed inside MULTI\r\n")]
    [InlineData("+OK\r\n", NotAllowed)]
    [InlineData("", NotAllowed)]
    [InlineData("*1\r\n-ERR Unsupported CONFIG parameter: {n}\r\n", NotAllowed)]
    [InlineData("$86\r\n-ERR Unsupported CONFIG parameter: {n}\r\n", NotAllowed)]
    [InlineData("*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxE\r\n", NotAllowed)] // the yes to another question
    [InlineData("-ERR Unsupported CONFIG parameter: {n}\r\n-ERR Unsupported CONFIG parameter: {n}\r\n", NotAllowed)]
    public async Task Only_the_error_with_the_very_name_of_the_question_is_a_yes(string answer, string? reply)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Clean);
        var (first, parameter, last) = await test.ReadChangeQuestionAsync();
        answer = answer.Replace("{n}", parameter, StringComparison.Ordinal);
        await test.Upstream.SendAsync(first + answer + last + "+next\r\n");
        await test.Client.ExpectAsync((reply ?? answer) + "+next\r\n");
        Assert.Equal(reply?.EndsWith("+DONE\r\n", StringComparison.Ordinal) == true ? 1 : 0, test.Executed.Count);
    }

    [Theory]
    [InlineData(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$88\r\n-ERR Unsupported CONFIG parameter: {n}\r\n\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$88\r\n-ERR Unsupported CONFIG parameter: {n}\r\n\r\n")]
    [InlineData("+1700000000.123456 [0 127.0.0.1:1] \"-ERR Unsupported CONFIG parameter: {n}\"\r\n")]
    public async Task A_message_with_that_error_in_it_is_none_even_if_somebody_knew_the_name(string outOfBand)
    {
        await using var test = new SessionUnderTest();
        await test.Client.SendAsync(Clean);
        var (first, parameter, last) = await test.ReadChangeQuestionAsync();
        outOfBand = outOfBand.Replace("{n}", parameter, StringComparison.Ordinal);
        await test.Upstream.SendAsync(first + outOfBand + "-NOPERM no\r\n" + outOfBand + last);
        await test.Client.ExpectAsync(outOfBand + outOfBand + "-NOPERM no\r\n");
        Assert.Empty(test.Executed);
    }

    [Theory]
    [InlineData("-ERR unknown command 'CONFIG', with args beginning with: 'SET' \r\n")]
    [InlineData("-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n")]
    public async Task Where_there_is_no_CONFIG_SET_the_users_of_admin_users_may(string answer)
    {
        await using var test = new SessionUnderTest(adminUsers: ["alice"]);
        await test.Client.SendAsync(Clean);
        var (first, _, last) = await test.ReadChangeQuestionAsync();
        await test.Upstream.SendAsync(first + answer + last);
        (first, last) = await test.ReadQuestionAsync("ACL", "WHOAMI");
        await test.Upstream.SendAsync(first + "$5\r\nalice\r\n" + last);
        await test.Client.ExpectAsync("+DONE\r\n");
    }

    private const string NotAllowed = "-NOPERM this key_evt_amqp command is for users who may CONFIG SET the upstream Redis\r\n";
}
