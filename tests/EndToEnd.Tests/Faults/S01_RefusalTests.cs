// Row S01: is every command of the proxy refused, in Redis' own words, to a client that may not use CONFIG?
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Proxy.Intercept;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>
/// Every command of the table is sent at every place by both kinds of client. The same bytes go straight to Redis, with CONFIG GET in the command's place, or CONFIG SET for a command that changes
/// something. Both answers must be the same.
/// </summary>
[Trait("Concerns", "sessions")]
public sealed partial class S01_RefusalTests(GuardedProxy proxy) : IClassFixture<GuardedProxy>
{
    private const string LowLogin = $"AUTH low {GuardedProxy.UserPassword}\r\n";

    /// <summary>What is sent before the command and after it. {login} stands for the login of the user with few rights, or for nothing.</summary>
    private static readonly Dictionary<string, (string Before, string After)> Places = new()
    {
        ["alone"] = ("{login}", ""),
        ["pipelined"] = ("{login}PING\r\nGET a\r\n", "PING\r\nGET b\r\n"),
        ["in MULTI"] = ("{login}MULTI\r\nSET a 1\r\n", "SET a 2\r\nEXEC\r\nGET a\r\n"),
        ["after a failed AUTH"] = ("{login}AUTH low wrong\r\n", "PING\r\n"),
        ["after RESET"] = ("{login}RESET\r\n", "PING\r\n"),
        ["in RESP3"] = ("HELLO 3{hello}\r\n", "PING\r\n"),
    };

    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, bool>();
            foreach (var entry in CommandTable.All)
            {
                foreach (var place in Places.Keys)
                {
                    cases.Add(entry.Name, place, true);
                    cases.Add(entry.Name, place, false);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_command_is_refused_with_the_words_of_redis(string command, string place, bool isLow)
    {
        var entry = CommandTable.Find(Encoding.Latin1.GetBytes(command))!;
        string[] request = [$"key_evt_amqp.{entry.Name}", .. Enumerable.Repeat("1", entry.MinCount - 1)];
        var (before, after) = Places[place];
        before = before.Replace("{login}", isLow ? LowLogin : "", StringComparison.Ordinal).Replace("{hello}", isLow ? $" AUTH low {GuardedProxy.UserPassword}" : "", StringComparison.Ordinal);

        string[] right = entry.Right == CommandRight.Read ? ["CONFIG", "GET", "notify-keyspace-events"] : ["CONFIG", "SET", "nosuch", "1"];
        var expected = await AnswerAsync(proxy.Redis.Port, before, right, after);
        Assert.Contains(isLow && place != "after RESET" ? "-NOPERM" : "-NOAUTH", expected, StringComparison.Ordinal);
        Assert.Equal(expected, await AnswerAsync(proxy.Program.Port, before, request, after));

        await using var root = await proxy.Program.ConnectAsync();
        await root.CallAsync("AUTH", GuardedProxy.RootPassword);
        Assert.Equal(["^unchanged$"], (await root.CallAsync("key_evt_amqp.keymask_get")).Texts);
        Assert.Empty((await root.CallAsync("key_evt_amqp.rule_get")).Items);
    }

    private static async Task<string> AnswerAsync(int port, string before, string[] command, string after)
    {
        await using var client = await RespClient.ConnectAsync(port);
        await client.SendAsync((byte[])[.. Encoding.Latin1.GetBytes(before), .. RespClient.Command(command), .. Encoding.Latin1.GetBytes(after)]);
        client.EndSending();
        return ConnectionId.Replace(await client.ReadTextToEndAsync(), "$2\r\nid\r\n:(id)");
    }

    [GeneratedRegex(@"\$2\r\nid\r\n:\d+")]
    private static partial Regex ConnectionId { get; }
}
