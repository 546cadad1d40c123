// What is printed about the mutants?
using System.Globalization;
using System.Text.RegularExpressions;

namespace KeyEvt.Mutation;

/// <summary>Prints one line a mutant as soon as all in front of it are known, and at the end a table by folder.</summary>
internal sealed partial class Report(TextWriter output, IReadOnlyList<Mutant> mutants)
{
    private const int LongestText = 80;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Verdict> _verdicts = [];
    private int _printed;

    public void Add(Verdict verdict)
    {
        lock (_gate)
        {
            _verdicts[verdict.Mutant.Id] = verdict;
            for (; _printed < mutants.Count && _verdicts.TryGetValue(mutants[_printed].Id, out var next); _printed++)
            {
                output.WriteLine(Line(next));
            }

            output.Flush();
        }
    }

    public void Summary()
    {
        var all = _verdicts.Values.ToList();
        output.WriteLine();
        output.WriteLine("killed  total  per cent  folder");
        foreach (var room in all.GroupBy(verdict => verdict.Mutant.Room).OrderBy(room => room.Key, StringComparer.Ordinal))
        {
            output.WriteLine(Row([.. room], room.Key));
        }

        output.WriteLine(Row(all, "all"));
        var killed = all.Count(verdict => verdict.IsKilled);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{killed} killed, {all.Count - killed} survived"));
    }

    private static string Row(List<Verdict> room, string name)
    {
        var killed = room.Count(verdict => verdict.IsKilled);
        return string.Create(CultureInfo.InvariantCulture, $"{killed,6} {room.Count,6} {100.0 * killed / Math.Max(room.Count, 1),9:0.0}  {name}");
    }

    private static string Line(Verdict verdict)
    {
        var mutant = verdict.Mutant;
        return string.Create(CultureInfo.InvariantCulture, $"{mutant.Id,4}  {mutant.File}:{mutant.Line}  {Short(mutant.Original)}  ->  {(mutant.Mutated.Length == 0 ? "(removed)" : Short(mutant.Mutated))}  {verdict.How}");
    }

    private static string Short(string text)
    {
        var line = Blanks().Replace(text, " ");
        return line.Length <= LongestText ? line : string.Concat(line.AsSpan(0, LongestText), "...");
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
