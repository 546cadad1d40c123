using System.Globalization;

namespace KeyEvt.Servers.Group;

/// <summary>What does a member say of its group? For the one node that it stands before.</summary>
/// <param name="Member">Its own id, which begins with its name.</param>
public sealed record GroupReport(string Group, string Member, int Streams, StreamReport Stream, IReadOnlyList<MemberReport> Members)
{
    /// <summary>Reads the fields of key_evt_amqp.info, named "section.field".</summary>
    public static GroupReport Parse(IReadOnlyDictionary<string, string> info)
    {
        var members = info.Where(field => field.Key.StartsWith("group.member_", StringComparison.Ordinal)).Select(field => MemberReport.Parse(field.Value));
        return new GroupReport(Of("group"), Of("member"), int.Parse(Of("streams"), CultureInfo.InvariantCulture), StreamReport.Parse(Of("stream_0")), [.. members]);

        string Of(string name) => info.TryGetValue("group." + name, out var value) ? value : throw new FormatException($"the section group has no field {name}: {string.Join(", ", info.Keys)}");
    }

    /// <summary>name=value, with commas between.</summary>
    internal static Dictionary<string, string> Words(string line) => line.Split(',').Select(word => word.Split('=', 2)).ToDictionary(word => word[0], word => word[^1]);
}
