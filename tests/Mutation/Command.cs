// What does another program say, and does it end in time?
using System.Diagnostics;
using System.Text;

namespace KeyEvt.Mutation;

/// <summary>Runs another program and reads what it prints.</summary>
internal static class Command
{
    /// <summary>A program that prints for ever must not fill the memory.</summary>
    private const int MaxOutput = 4 << 20;

    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="deadline">After this it is killed, and its children with it; null for no deadline.</param>
    /// <param name="variables">Environment variables besides ours.</param>
    public static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string folder, TimeSpan? deadline = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in variables ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var output = new StringBuilder();
        var watch = Stopwatch.StartNew();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var timer = new CancellationTokenSource(deadline ?? Timeout.InfiniteTimeSpan);
        try
        {
            await process.WaitForExitAsync(timer.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new CommandResult(null, Text(), watch.Elapsed);
        }

        return new CommandResult(process.ExitCode, Text(), watch.Elapsed);

        void Keep(string? line)
        {
            lock (output)
            {
                if (line is not null && output.Length < MaxOutput) output.AppendLine(line);
            }
        }

        string Text()
        {
            lock (output) return output.ToString();
        }
    }
}
