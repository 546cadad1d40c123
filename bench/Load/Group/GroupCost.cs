// What does Redis pay for the members of a group?
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;

namespace KeyEvt.Bench.Load.Group;

/// <summary>CPU and bytes sent of Redis for each write: without notifications, with a proxy of no group, and with groups of 1, 3 and 10. Of the proxies: CPU of the holder, and of another member.</summary>
internal static class GroupCost
{
    private const int Seconds = 10;

    public static async Task<string> MeasureAsync(GroupLoad load)
    {
        var rows = new List<string[]>();
        foreach (var (name, setting) in Groups())
        {
            rows.Add(await RowAsync(load, name, setting));
            Console.Error.WriteLine("cost: " + string.Join(", ", rows[^1]));
        }

        return "cost:" + Environment.NewLine + Figures.Table(["before Redis", "Redis us/event", "bytes sent/event", "holder us/event", "other member us/event"], rows);
    }

    private static IEnumerable<(string Name, GroupSetting Setting)> Groups()
    {
        yield return ("nothing", GroupSetting.Lone with { Names = [] });
        yield return ("no group", GroupSetting.Lone);
        foreach (var members in (int[])[1, 3, 10])
        {
            yield return ($"{members} members", new GroupSetting { Names = [.. Enumerable.Range(0, members).Select(number => $"m{number}")] });
        }
    }

    private static async Task<string[]> RowAsync(GroupLoad load, string name, GroupSetting setting)
    {
        await using var stage = await load.SetAsync(setting);
        var holder = setting.Group is null ? (stage.Members is [var lone] ? lone : null) : await stage.HolderAsync(deadline: TimeSpan.FromMinutes(1));
        var others = stage.Members.Where(member => member != holder).ToList();
        var run = GroupLoad.Start(stage);
        await run.MoreAsync(Seconds * GroupLoad.Rate, TimeSpan.FromMinutes(1)); // warms up

        var (redis, sent, first, rest, writes) = (Redis(), await SentAsync(stage), Of(holder), Others(), run.Acknowledged);
        await run.MoreAsync(Seconds * GroupLoad.Rate, TimeSpan.FromMinutes(1));
        writes = run.Acknowledged - writes;
        return
        [
            name, Text((Redis() - redis) / writes, "0.00"), Text((await SentAsync(stage) - sent) / writes, "0"),
            holder is null ? "-" : Text((Of(holder) - first) / writes, "0.0"), others.Count == 0 ? "-" : Text((Others() - rest) / writes / others.Count, "0.0"),
        ];

        double Redis() => stage.Redis.Process.CpuTime.TotalMicroseconds;

        double Others() => others.Sum(Of);
    }

    private static double Of(GroupMember? member) => member?.Program.Process.CpuTime.TotalMicroseconds ?? 0;

    private static async Task<double> SentAsync(GroupStage stage) =>
        double.Parse(KeyEvtProcess.ParseInfo((await stage.Redis.CallAsync("INFO", "stats")).Text)["stats.total_net_output_bytes"], CultureInfo.InvariantCulture);

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
