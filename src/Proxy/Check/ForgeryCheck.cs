using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Proxy.Check;

/// <summary>Could a client without a user of its own forge notifications? Only asks Redis for the rights; nothing is published.</summary>
/// <remarks>
/// A message that somebody publishes on <c>__keyevent@0__:expired</c> looks exactly like Redis' own. ACL DRYRUN (Redis 7) gives a definite answer.
/// Before Redis 7 the rules that ACL GETUSER prints are read, and only a certain result is reported.
/// </remarks>
internal static class ForgeryCheck
{
    private const string What = "forged events";
    private const string Channel = "__keyevent@0__:expired";
    private const string Remedy = "ACL SETUSER default resetchannels &app:*, with the channels that your programs use in the place of app:*; and the same for other users that are not trusted";

    public static async Task RunAsync(RedisClient redis, List<CheckRow> rows)
    {
        var user = await redis.AskAsync("ACL", "GETUSER", "default");
        if (user.IsError)
        {
            rows.Add(new CheckRow(CheckOutcome.Note, What, $"cannot tell whether the user default may publish on {Channel}: {user.Text}", "an administrator asks: ACL DRYRUN default PUBLISH __keyevent@0__:expired x"));
            return;
        }

        var isOff = user.Value("flags") is { } flags && flags.Items.Any(static flag => flag.Text == "off");
        var may = isOff ? false : await MayPublishAsync(redis, user);
        rows.Add(may switch
        {
            true => new CheckRow(CheckOutcome.Warning, What, $"the user default may PUBLISH on {Channel}: such a message cannot be told from a real event", Remedy),
            false => new CheckRow(CheckOutcome.Works, What, isOff ? "the user default is off" : "the user default may not publish notifications"),
            null => new CheckRow(CheckOutcome.Note, What, $"cannot tell whether the user default may publish on {Channel}", Remedy),
        });
    }

    private static async Task<bool?> MayPublishAsync(RedisClient redis, RedisAnswer user)
    {
        var dry = await redis.AskAsync("ACL", "DRYRUN", "default", "PUBLISH", Channel, "x");
        if (!dry.IsError) return dry.Text == "OK";

        // Redis before 7. Before 6.2 there are no rules for channels.
        var commands = user.Find("commands") ?? "";
        var mayAll = commands == "+@all";
        var allChannels = user.Value("channels") is not { } channels || channels.Text == "*" || channels.Items.Any(static channel => channel.Text == "*");
        return mayAll && allChannels ? true : null;
    }
}
