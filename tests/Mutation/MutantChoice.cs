// Which of the possible mutants are tried?
namespace KeyEvt.Mutation;

/// <summary>Chooses mutants at random; the same seed on the same source chooses the same ones.</summary>
internal static class MutantChoice
{
    /// <param name="candidates">All of them, in a fixed order.</param>
    /// <param name="count">How many are wanted.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="check">Says which ones compile.</param>
    public static IReadOnlyList<Mutant> Choose(IReadOnlyList<Mutant> candidates, int count, int seed, CompileCheck check)
    {
        var shuffled = candidates.ToArray();
        new Random(seed).Shuffle(shuffled);
        var next = 0;
        List<Mutant> chosen = [];
        while (true)
        {
            for (; chosen.Count < count && next < shuffled.Length; next++) chosen.Add(shuffled[next] with { Id = next + 1 });
            var refused = check.Refused(chosen);
            if (refused.Count == 0) return Number(chosen);
            chosen.RemoveAll(mutant => refused.Contains(mutant.Id));
        }
    }

    /// <summary>Numbers them from 1, in the order of the source.</summary>
    public static IReadOnlyList<Mutant> Number(IEnumerable<Mutant> mutants) =>
        [.. mutants.OrderBy(mutant => mutant.File, StringComparer.Ordinal).ThenBy(mutant => mutant.Span.Start).ThenBy(mutant => mutant.Span.Length).ThenBy(mutant => mutant.Id)
            .Select((mutant, index) => mutant with { Id = index + 1 })];
}
