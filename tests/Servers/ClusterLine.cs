// What does one node say of another in CLUSTER NODES?
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>One line: <c>id ip:port@bus[,host] flags master ping pong epoch link slot...</c></summary>
/// <param name="Slots">Ranges, both ends included; slots on the move are left out.</param>
public sealed record ClusterLine(string Id, int Port, IReadOnlyList<string> Flags, string? MasterId, bool IsConnected, IReadOnlyList<(int First, int Last)> Slots)
{
    public bool IsMaster => Flags.Contains("master");

    public bool IsFailing => Flags.Contains("fail") || Flags.Contains("fail?");

    public bool Has(int slot) => Slots.Any(range => slot >= range.First && slot <= range.Last);

    public static IReadOnlyList<ClusterLine> ParseAll(string text)
        => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Parse(line.TrimEnd('\r')))];

    private static ClusterLine Parse(string line)
    {
        var words = line.Split(' ');
        var place = words[1].Split('@')[0];
        var slots = words.Skip(8).Where(word => !word.StartsWith('[')).Select(word => word.Split('-'))
            .Select(ends => (Number(ends[0]), Number(ends[^1])));
        return new ClusterLine(
            words[0], Number(place[(place.LastIndexOf(':') + 1)..]), words[2].Split(','), words[3] == "-" ? null : words[3], words[7] == "connected", [.. slots]);
    }

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);
}
