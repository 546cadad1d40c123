using System.Globalization;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>How often has a node carried out CONFIG SET and CONFIG GET, by its own count (INFO commandstats)?</summary>
/// <param name="Sets">Without failed calls, which changed nothing.</param>
internal readonly record struct ConfigCalls(long Sets, long Gets)
{
    /// <returns>Null if the node does not count subcommands (before Redis 7), or did not tell.</returns>
    public static ConfigCalls? Of(string commandStats)
    {
        // The caller has sent CONFIG GET before. If there is no count for it, the node does not count subcommands.
        if (InfoText.Find(commandStats, "cmdstat_config|get") is not { } gets) return null;

        var sets = InfoText.Find(commandStats, "cmdstat_config|set") ?? "";
        return new ConfigCalls(Number(sets, "calls") - Number(sets, "failed_calls"), Number(gets, "calls"));
    }

    private static long Number(string fields, string name)
    {
        foreach (var field in fields.Split(','))
        {
            if (field.StartsWith(name, StringComparison.Ordinal) && field.Length > name.Length && field[name.Length] == '='
                && long.TryParse(field.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }
        }

        return 0;
    }
}
