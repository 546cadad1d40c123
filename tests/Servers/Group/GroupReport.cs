using System.Globalization;

namespace KeyEvt.Servers.Group;

/// <summary>What does a member say of its group?</summary>
/// <param name="Member">Its own id, which begins with its name.</param>
/// <param name="Stream">Of the one node that it stands before, or of the first master.</param>
public sealed record GroupReport(string Group, string Member, int Streams, StreamReport Stream, IReadOnlyList<MemberReport> Members)
{
    /// <summary>Of each node.</summary>
    public IReadOnlyList<StreamReport> All { get; private init; } = [];

    /// <summary>Of each master.</summary>
    public IEnumerable<StreamReport> Masters => All.Where(stream => stream.Serves);

    /// <summary>Reads the fields of key_evt_amqp.info, named "section.field".</summary>
    public static GroupReport Parse(IReadOnlyDictionary<string, string> info)
    {
        var members = info.Where(field => field.Key.StartsWith("group.member_", StringComparison.Ordinal)).Select(field => MemberReport.Parse(field.Value));
        var streams = int.Parse(Of("streams"), CultureInfo.InvariantCulture);
        List<StreamReport> all = [.. Enumerable.Range(0, streams).Select(index => StreamReport.Parse(Of(string.Create(CultureInfo.InvariantCulture, $"stream_{index}"))))];
        return new GroupReport(Of("group"), Of("member"), streams, all.FirstOrDefault(stream => stream.Serves) ?? all[0], [.. members]) { All = all };

        string Of(string name) => info.TryGetValue("group." + name, out var value) ? value : throw new FormatException($"the section group has no field {name}: {string.Join(", ", info.Keys)}");
    }

    /// <summary>name=value, with commas between.</summary>
    internal static Dictionary<string, string> Words(string line) => line.Split(',').Select(word => word.Split('=', 2)).ToDictionary(word => word[0], word => word[^1]);
}
