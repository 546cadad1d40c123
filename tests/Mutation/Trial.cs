// Do the tests notice this mutant?
using System.Globalization;

namespace KeyEvt.Mutation;

/// <summary>Runs the tests that reach a mutant, those most likely to notice it first, until one fails.</summary>
internal sealed class Trial(TestRunner runner, IReadOnlyList<TestClass> classes)
{
    /// <summary>The first run holds few and quick classes: most mutants are noticed there.</summary>
    private const int FirstClasses = 5;

    private static readonly TimeSpan FirstTime = TimeSpan.FromSeconds(5);

    /// <summary>Later runs hold more, but not so many that one which hangs is noticed late.</summary>
    private const int LaterClasses = 40;

    private static readonly TimeSpan LaterTime = TimeSpan.FromSeconds(15);

    /// <summary>A run may use this many times the processor time that its classes used without the mutant, and a fixed time on top.</summary>
    private const int Patience = 4;

    private static readonly TimeSpan OnTop = TimeSpan.FromSeconds(10);

    /// <summary>So many tests may fail by chance until the classes count as passed.</summary>
    private const int MostChances = 5;

    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(15);

    public async Task<Verdict> RunAsync(Mutant mutant)
    {
        var ranked = classes.Where(test => test.Reached.Contains(mutant.Id)).OrderByDescending(test => IsNamesake(test, mutant)).ThenBy(test => test.Reached.Count).ThenBy(test => test.Name, StringComparer.Ordinal).ToList();
        if (ranked.Count == 0) return new Verdict(mutant, false, "not reached");
        foreach (var batch in Batches(ranked))
        {
            if (await RunAsync(mutant, batch) is { } how) return new Verdict(mutant, true, how);
        }

        return new Verdict(mutant, false, "survived");
    }

    /// <summary>Tests of the type that the mutant is in.</summary>
    private static bool IsNamesake(TestClass test, Mutant mutant) => test.Name[(test.Name.LastIndexOf('.') + 1)..].StartsWith(Path.GetFileNameWithoutExtension(mutant.File), StringComparison.Ordinal);

    private static IEnumerable<IReadOnlyList<TestClass>> Batches(List<TestClass> ranked)
    {
        var first = Head(ranked, FirstClasses, FirstTime);
        yield return first;
        foreach (var assembly in ranked.Skip(first.Count).GroupBy(test => test.Assembly))
        {
            var rest = assembly.ToList();
            while (rest.Count > 0)
            {
                var batch = Head(rest, LaterClasses, LaterTime);
                rest.RemoveRange(0, batch.Count);
                yield return batch;
            }
        }
    }

    /// <summary>The first ones, of one assembly, up to a number and a time; at least one.</summary>
    private static List<TestClass> Head(List<TestClass> ranked, int count, TimeSpan time)
    {
        var sum = TimeSpan.Zero;
        return [.. ranked.TakeWhile((test, index) => ((sum += test.Time) <= time && index < count && test.Assembly == ranked[0].Assembly) || index == 0)];
    }

    /// <returns>How the mutant was noticed; null when it was not.</returns>
    private async Task<string?> RunAsync(Mutant mutant, IReadOnlyList<TestClass> batch)
    {
        string[] filters = [.. batch.SelectMany(test => new[] { "-class", test.Name })];
        for (var chances = 0; chances < MostChances; chances++)
        {
            var outcome = await RunAsync(mutant, filters, batch);
            switch (outcome)
            {
                case { Kind: TestOutcomeKind.Passed }:
                    return null;
                case { Kind: TestOutcomeKind.Stuck }:
                    return "timeout";
                case { Kind: TestOutcomeKind.Crashed }:
                    return "killed by a crash of the test process";
            }

            // A test that fails by chance must not count: it has to fail again, alone. If it does not, the others run without it.
            var failed = outcome.Test!;
            var again = await RunAsync(mutant, ["-method", failed], batch);
            if (again.Kind == TestOutcomeKind.Stuck) return "timeout";
            if (again.Kind != TestOutcomeKind.Passed) return $"killed by {failed}";
            filters = [.. filters, "-method-", failed];
        }

        return null;
    }

    private Task<TestOutcome> RunAsync(Mutant mutant, IEnumerable<string> filters, IReadOnlyList<TestClass> batch)
    {
        var limits = new RunLimits((TimeSpan.FromTicks(batch.Sum(test => test.Processor.Ticks)) * Patience) + OnTop, LongestRun);
        var active = new Dictionary<string, string> { [SwitchSource.ActiveVariable] = mutant.Id.ToString(CultureInfo.InvariantCulture) };
        return runner.RunAsync(batch[0].Assembly, filters, active, limits);
    }
}
