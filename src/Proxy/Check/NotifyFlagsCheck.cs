using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Check;

/// <summary>Does Redis publish the wanted events, or may that be set? And who may use the commands of KeyEvt?</summary>
/// <remarks>Both depend on the rights to CONFIG GET and CONFIG SET.</remarks>
internal static class NotifyFlagsCheck
{
    private const string FlagsParameter = "notify-keyspace-events";

    public static async Task RunAsync(CheckTarget target)
    {
        var get = await target.Redis.AskAsync("CONFIG", "GET", FlagsParameter);
        // This sets nothing: a user with the right to CONFIG SET gets the answer that the parameter is unknown.
        var set = await target.Redis.AskAsync("CONFIG", "SET", "keyevt-check", "1");
        WhoMayControl(target, exists: !get.IsUnknownCommand);
        Flags(target, get, set);
    }

    private static void WhoMayControl(CheckTarget target, bool exists)
    {
        if (!exists && target.Options.Server.AdminUsers.Count == 0)
        {
            target.Add(CheckOutcome.Warning, "who may control", "nobody: there is no CONFIG command to be allowed", "name the users that may use key_evt_amqp.* in --admin-users");
        }
        else
        {
            target.Add(CheckOutcome.Works, "who may control", exists ? "to read: whoever may use CONFIG GET; to change: whoever may use CONFIG SET" : $"the users of --admin-users: {string.Join(", ", target.Options.Server.AdminUsers)}");
        }
    }

    private static void Flags(CheckTarget target, RedisAnswer get, RedisAnswer set)
    {
        var mayRead = !get.IsError && get.Items.Count == 2;
        var maySet = !set.IsNoPermission && !set.IsUnknownCommand;
        if (target.Options.Forwarder.Feed.NotifyMode == NotifyMode.Off)
        {
            target.Add(CheckOutcome.Note, FlagsParameter, "not looked at: --notify-config is off");
            return;
        }

        var lacking = NotifyFlags.List(target.Server.Meant(target.Wanted) & ~target.Server.Known);
        if (lacking.Length > 0)
        {
            target.Add((target.Needed & ~EventClass.Fields) == EventClass.None ? CheckOutcome.Fails : CheckOutcome.Warning, "event flags", $"{target.Server.Name} has no '{lacking}': those events do not exist there", "leave them out of --events and --rule, or accept that all others are forwarded without them");
        }

        var letters = NotifyFlags.Format(target.Needed, target.Server.All) + "E";
        if (!mayRead)
        {
            target.Add(CheckOutcome.Warning, FlagsParameter, $"cannot be read: {get.Text}", $"see to it that it holds {letters} and start with --notify-config off, or {target.Grant("+config|get +config|set")}");
            return;
        }
        var current = get.Items[1].Text;
        if (NotifyFlags.Covers(current, target.Needed, target.Server.All))
        {
            target.Add(CheckOutcome.Works, FlagsParameter, $"{Printable.Quote(current)} covers {letters}");
        }
        else if (target.Options.Forwarder.Feed.NotifyMode == NotifyMode.Verify)
        {
            target.Add(CheckOutcome.Fails, FlagsParameter, $"{Printable.Quote(current)} does not cover {letters}", $"add the missing flags there, or start with --notify-config manage");
        }
        else if (maySet)
        {
            target.Add(CheckOutcome.Works, FlagsParameter, $"{Printable.Quote(current)}: what is missing for {letters} will be added at start");
        }
        else
        {
            target.Add(CheckOutcome.Fails, FlagsParameter, $"{Printable.Quote(current)} does not cover {letters}, and may not be set: {set.Text}", $"{target.Grant("+config|set")}, or set the flags where Redis is configured");
        }
    }
}
