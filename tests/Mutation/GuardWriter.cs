// What does a source file look like with its mutants compiled in?
using System.Globalization;
using System.Text;

namespace KeyEvt.Mutation;

/// <summary>Writes a file's text with a switch at the place of each mutant.</summary>
/// <remarks>Only one mutant is on at a time, so the mutated text holds no switches of its own; the text grows with the number of mutants only.</remarks>
internal static class GuardWriter
{
    public static string Write(string text, IEnumerable<Mutant> mutants)
    {
        var sites = mutants
            .GroupBy(mutant => mutant.Span)
            .OrderBy(site => site.Key.Start).ThenByDescending(site => site.Key.Length)
            .Select(site => (Span: site.Key, Mutants: site.OrderBy(mutant => mutant.Id).ToList()))
            .ToList();
        var output = new StringBuilder();
        var next = 0;
        WriteRange(0, text.Length);
        return output.ToString();

        // Sites nest as syntax does: a site inside another one follows it in the list.
        void WriteRange(int start, int end)
        {
            while (next < sites.Count && sites[next].Span.Start < end)
            {
                var (span, here) = sites[next++];
                output.Append(text, start, span.Start - start);
                WriteSite(here, () => WriteRange(span.Start, span.End));
                start = span.End;
            }

            output.Append(text, start, end - start);
        }

        void WriteSite(List<Mutant> here, Action writeOriginal)
        {
            if (here[0].Form == MutantForm.Statement)
            {
                output.Append("{ ");
                foreach (var mutant in here)
                {
                    output.Append(CultureInfo.InvariantCulture, $"if (MutantSwitch.Is({mutant.Id})) {{ {mutant.Mutated} }} else ");
                }

                writeOriginal();
                output.Append(" }");
                return;
            }

            output.Append(here[0].Cast is { } cast ? $"(({cast})(" : "((");
            foreach (var mutant in here.Where(mutant => mutant.Form == MutantForm.Negation))
            {
                output.Append(CultureInfo.InvariantCulture, $"MutantSwitch.Is({mutant.Id}) ^ ");
            }

            output.Append('(');
            foreach (var mutant in here.Where(mutant => mutant.Form == MutantForm.Expression))
            {
                output.Append(CultureInfo.InvariantCulture, $"MutantSwitch.Is({mutant.Id}) ? ({mutant.Mutated}) : ");
            }

            output.Append('(');
            writeOriginal();
            output.Append("))))");
        }
    }
}
