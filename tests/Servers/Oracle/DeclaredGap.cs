using System.Globalization;
using System.Text.RegularExpressions;

namespace KeyEvt.Servers.Oracle;

/// <summary>In which span may events be missing, by the program's own word, and why?</summary>
/// <param name="To">Null while it is open.</param>
public sealed partial record DeclaredGap(string Name, string Cause, DateTimeOffset From, DateTimeOffset? To, string Line)
{
    /// <summary>The last event before it, and the first behind it, as positions: run id, marker, count.</summary>
    public (string Last, string First) Between => Shape().Match(Line) is var match ? (match.Groups["last"].Value, match.Groups["first"].Value) : default;

    /// <summary>Reads a field gap_&lt;n&gt; of key_evt_amqp.info.</summary>
    /// <param name="clockAhead">How far the program's clock is ahead of this one.</param>
    public static DeclaredGap Parse(string name, string line, TimeSpan clockAhead = default)
    {
        var match = Shape().Match(line);
        if (!match.Success) throw new FormatException($"{name} does not look like a gap: {line}");
        // The info cuts to milliseconds: the end may be almost one later than it says.
        var to = match.Groups["to"].Value is "open" ? null : Time(match.Groups["to"].Value) - clockAhead + TimeSpan.FromMilliseconds(1);
        return new DeclaredGap(name, match.Groups["cause"].Value, Time(match.Groups["from"].Value)!.Value - clockAhead, to, line);
    }

    /// <summary>Whether something that happened at an unknown moment between these (UTC ticks) may have happened in here.</summary>
    public bool MayHold(long notBefore, long notAfter) => notAfter >= From.UtcTicks && (To is null || notBefore <= To.Value.UtcTicks);

    private static DateTimeOffset? Time(string iso) => DateTimeOffset.Parse(iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    [GeneratedRegex(@"^node=.*?,from=(?<from>[^,]+),to=(?<to>[^,]+),last=(?<last>.*?),first=(?<first>.*?),cause=(?<cause>\w+),detail=")]
    private static partial Regex Shape();
}
