// How are tests run with one mutant on?
using System.Globalization;
using System.Text.RegularExpressions;

namespace KeyEvt.Mutation;

/// <summary>Runs classes of tests in a process of their own.</summary>
internal sealed partial class TestRunner(int seed)
{
    /// <summary>A mutant that allocates without end must not take the machine with it. Hexadecimal, as the runtime wants it: 1.5 GB.</summary>
    private const string HeapLimit = "60000000";

    /// <summary>Tests with real servers take long, and those that compile the source see the source without the mutants.</summary>
    private static readonly string[] WithoutServers = ["-noColor", "-noLogo", "-trait-", "Needs=servers", "-trait-", "Needs=compiler"];

    /// <summary>The classes of an assembly.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(string assembly)
    {
        var list = await Command.RunAsync("dotnet", ["exec", assembly, .. WithoutServers, "-list", "classes"], Path.GetDirectoryName(assembly)!);
        if (list.ExitCode != 0) throw new MutationException($"{assembly} does not list its tests: {list.Output}");
        return [.. list.Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => ClassName().IsMatch(line))];
    }

    /// <param name="assembly">The assembly.</param>
    /// <param name="filters">Filters as the test program takes them, <c>-class NAME</c> or <c>-method NAME</c>.</param>
    /// <param name="variables">Which mutant is on, or where the places reached are noted.</param>
    /// <param name="limits">Beyond these the run is stopped.</param>
    public async Task<TestOutcome> RunAsync(string assembly, IEnumerable<string> filters, IReadOnlyDictionary<string, string> variables, RunLimits limits)
    {
        var environment = new Dictionary<string, string>(variables) { ["DOTNET_GCHeapHardLimit"] = HeapLimit, ["DOTNET_TieredPGO"] = "0", ["DOTNET_DbgEnableMiniDump"] = "0" };
        var run = await Command.RunAsync("dotnet", ["exec", assembly, string.Create(CultureInfo.InvariantCulture, $":{seed}"), .. WithoutServers, "-stopOnFail", .. filters], Path.GetDirectoryName(assembly)!, limits, environment);
        if (run.ExitCode is null) return new TestOutcome(TestOutcomeKind.Stuck, null, run.Time, run.Processor);
        if (run.ExitCode == 0 && !RanNothing().IsMatch(run.Output))
        {
            return new TestOutcome(TestOutcomeKind.Passed, null, run.Time, run.Processor);
        }

        return FailedTest().Match(run.Output) is { Success: true } failed
            ? new TestOutcome(TestOutcomeKind.Failed, failed.Groups["test"].Value, run.Time, run.Processor)
            : new TestOutcome(TestOutcomeKind.Crashed, null, run.Time, run.Processor);
    }

    [GeneratedRegex(@"^\w+(\.\w+)+(\+\w+)?$")]
    private static partial Regex ClassName();

    [GeneratedRegex(@"^\s*(?<test>[\w.+]+)(\(.*)? \[FAIL\]", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex FailedTest();

    [GeneratedRegex(@"Total: 0\b")]
    private static partial Regex RanNothing();
}
