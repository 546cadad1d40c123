using System.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// Which key_evt_amqp commands are there, and who may use them? One line each. A new command is a line here and a method in <see cref="KeyEvtCommands"/>.
/// </summary>
internal static class CommandTable
{
    /// <summary>In the order in which help prints them.</summary>
    public static IReadOnlyList<CommandEntry> All { get; } =
    [
        new("config_set", CommandRight.Change, 2, int.MaxValue, (c, r, _) => c.ConfigSetAsync(r), "[host port username password heartbeat exchange routing_key delivery_mode fallback_storage_size keymask...] -- any prefix of these; takes effect at once"),
        new("config_get", CommandRight.Read, 1, 2, (c, r, _) => c.ConfigGet(r), "[name] -- names and values; of the password only whether one is set"),
        new("config_reset", CommandRight.Change, 1, 1, (c, _, _) => c.ConfigResetAsync(), "-- back to the options of this program, as it was started"),
        new("connect", CommandRight.Change, 1, int.MaxValue, (c, r, t) => c.ConnectAsync(r, t), "[parameters as config_set] -- connect to the broker, and again whenever the connection is lost"),
        new("disconnect", CommandRight.Change, 1, 1, (c, _, _) => c.DisconnectAsync(), "-- close the connection until connect; events meanwhile are neither sent nor stored"),
        new("events_set", CommandRight.Change, 2, 2, (c, r, _) => c.EventsSetAsync(r), "flags -- classes to forward, letters as in notify-keyspace-events"),
        new("events_get", CommandRight.Read, 1, 1, (c, _, _) => c.EventsGet(), "-- classes that are forwarded"),
        new("fallback_storage_size_set", CommandRight.Change, 2, 2, (c, r, _) => c.FallbackStorageSizeSetAsync(r), "events -- most events kept while the broker is away; 0 unlimited, negative off"),
        new("keymask_add", CommandRight.Change, 2, int.MaxValue, (c, r, _) => c.KeymaskAddAsync(r), "mask... -- forward also keys that match; ALL replaces the rest"),
        new("keymask_set", CommandRight.Change, 2, int.MaxValue, (c, r, _) => c.KeymaskSetAsync(r), "mask... -- forward only keys that match"),
        new("keymask_clean", CommandRight.Change, 1, 1, (c, _, _) => c.KeymaskCleanAsync(), "-- forward nothing"),
        new("keymask_get", CommandRight.Read, 1, 1, (c, _, _) => c.KeymaskGet(), "-- masks in force"),
        new("rule_add", CommandRight.Change, 2, int.MaxValue, (c, r, _) => c.RuleAddAsync(r), "rule... -- besides the masks: 'events=xe db=0 mask=^session:'; events and db may be left out"),
        new("rule_clean", CommandRight.Change, 1, 1, (c, _, _) => c.RuleCleanAsync(), "-- only the masks count"),
        new("rule_get", CommandRight.Read, 1, 1, (c, _, _) => c.RuleGet(), "-- rules in force"),
        new("format_set", CommandRight.Change, 2, 3, (c, r, _) => c.FormatSetAsync(r), "text|json|cloudevents [routing_key] -- shape of the messages; {db}, {event}, {class} and {key} in the routing key stand for the event's"),
        new("info", CommandRight.Read, 1, 2, (c, r, _) => c.Info(r), "[section] -- state and counters"),
        new("help", CommandRight.Read, 1, 1, (_, _, _) => KeyEvtCommands.Help(), "-- this text"),
    ];

    private static readonly Dictionary<string, CommandEntry> ByName = All.ToDictionary(entry => entry.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Which right does a request that the proxy answers need? A name that is not in the table only gets an error text. MODULE LOAD and UNLOAD of the replaced
    /// module change something.
    /// </summary>
    public static CommandRight RightFor(RespRequest request)
    {
        if (!CommandNames.HasPrefix(request[0].Span)) return CommandRight.Change;
        return Find(request[0].Span[CommandNames.Prefix.Length..])?.Right ?? CommandRight.Read;
    }

    /// <summary>What is such a request called in metrics? Never by the client's own words: a name that is not in the table is "unknown".</summary>
    public static string LabelOf(RespRequest request)
    {
        if (CommandNames.HasPrefix(request[0].Span)) return Find(request[0].Span[CommandNames.Prefix.Length..])?.Name ?? "unknown";
        return RequestKinds.ArgumentIs(request, 1, "UNLOAD"u8) ? "module_unload" : "module_load";
    }

    /// <param name="subcommand">The part of the name behind <see cref="CommandNames.Prefix"/>, in any case.</param>
    public static CommandEntry? Find(ReadOnlySpan<byte> subcommand) => ByName.GetValueOrDefault(Encoding.Latin1.GetString(subcommand));
}

/// <summary>One command.</summary>
/// <param name="Name">The part behind the prefix, in lower case.</param>
/// <param name="Right">What its caller must be allowed to do.</param>
/// <param name="MinCount">The least number of arguments; the command's name counts too, as in Redis.</param>
/// <param name="MaxCount">The greatest number of arguments, counted in the same way.</param>
/// <param name="Run">Runs the command and returns one complete reply.</param>
/// <param name="Help">The arguments, and what the command does.</param>
internal sealed record CommandEntry(
    string Name,
    CommandRight Right,
    int MinCount,
    int MaxCount,
    Func<KeyEvtCommands, RespRequest, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> Run,
    string Help);
