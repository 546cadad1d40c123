// Which tests reach which mutants?
namespace KeyEvt.Mutation;

/// <summary>Runs each class of tests once without a mutant, in a process of its own, so that what is done once a process is noted for each.</summary>
internal sealed class Coverage(TestRunner runner, IReadOnlyList<Mutant> mutants, int parallel, TextWriter log)
{
    /// <summary>No class uses as much without a mutant.</summary>
    private static readonly RunLimits Longest = new(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(20));

    /// <returns>The classes that pass without a mutant. Others are named in the log and say nothing about mutants.</returns>
    public async Task<IReadOnlyList<TestClass>> MeasureAsync(IEnumerable<string> assemblies)
    {
        List<(string Assembly, string Name)> all = [];
        foreach (var assembly in assemblies) all.AddRange((await TestRunner.ListAsync(assembly)).Select(name => (assembly, name)));

        var measured = new TestClass?[all.Count];
        await Parallel.ForAsync(0, all.Count, new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (index, _) =>
        {
            var (assembly, name) = all[index];
            measured[index] = await MeasureAsync(assembly, name) ?? await MeasureAsync(assembly, name);
        });

        for (var i = 0; i < all.Count; i++)
        {
            if (measured[i] is null) log.WriteLine($"left out, as it fails without any mutant: {all[i].Name}");
        }

        return [.. measured.OfType<TestClass>()];
    }

    private async Task<TestClass?> MeasureAsync(string assembly, string name)
    {
        var places = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(places, new byte[mutants.Count + 1]);
            var run = await runner.RunAsync(assembly, ["-class", name], new Dictionary<string, string> { [SwitchSource.PlacesVariable] = places }, Longest);
            if (run.Kind != TestOutcomeKind.Passed) return null;
            var reached = await File.ReadAllBytesAsync(places);
            return new TestClass(assembly, name, run.Time, run.Processor, mutants.Select(mutant => mutant.Id).Where(id => reached[id] != 0).ToHashSet());
        }
        finally
        {
            File.Delete(places);
        }
    }
}
