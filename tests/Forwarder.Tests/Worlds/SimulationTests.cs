using System.Diagnostics;
using System.Globalization;
using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Worlds;

/// <summary>
/// Does the engine keep its promises in simulated worlds, and does a seed replay? SIMULATION_SEEDS sets the number of worlds, and SIMULATION_SEED the first one. The worlds
/// are a program of their own, tests/Simulation, since they need a thread pool with one worker.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that show a fault which is not mended yet: each line names one, and the fault.</summary>
    private static string OpenSeeds => string.Join(',', File.ReadLines(Repository.PathOf("tests/Simulation/open-seeds.txt")).Select(static line => line.Split(' ')[0]));

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : usual;

    [Fact]
    public async Task Every_promise_is_kept_in_two_thousand_worlds()
    {
        var (first, half) = (Setting("SIMULATION_SEED", 1), Setting("SIMULATION_SEEDS", 2000) / 2);
        var both = await Task.WhenAll(RunAsync("--seed", first, "--step", 2, "--seeds", half, "--skip", OpenSeeds), RunAsync("--seed", first + 1, "--step", 2, "--seeds", half, "--skip", OpenSeeds));
        foreach (var (_, lines) in both) output.WriteLine(string.Join('\n', lines));
        Assert.All(both, one => Assert.True(one.Code == 0, string.Join('\n', one.Lines)));
    }

    [Fact]
    public async Task A_seed_tells_the_same_story_in_another_process_whatever_was_before_it()
    {
        var both = await Task.WhenAll(RunAsync("--seed", 1, "--seeds", 60, "--hash", 1), RunAsync("--seed", 31, "--seeds", 30, "--hash", 1));
        Assert.Equal(both[0].Lines.Skip(30).SkipLast(1), both[1].Lines.SkipLast(1));
    }

    [Fact]
    public async Task A_message_that_the_consumer_does_not_get_is_noticed()
    {
        var (code, lines) = await RunAsync("--seed", 1, "--seeds", 5, "--miss", 20);
        Assert.Equal(1, code);
        Assert.Contains(lines, line => line.StartsWith("seed ", StringComparison.Ordinal) && line.Contains("is lost", StringComparison.Ordinal));
    }

    private static async Task<(int Code, IReadOnlyList<string> Lines)> RunAsync(params object[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "KeyEvt.Simulation.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", program, .. arguments.Select(one => Convert.ToString(one, CultureInfo.InvariantCulture)!)]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        try
        {
            var lines = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, lines.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            process.Kill(); // does nothing if it has ended
        }
    }
}
