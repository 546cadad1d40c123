// What does another program say, and does it end?
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace KeyEvt.Mutation;

/// <summary>Runs another program and reads what it prints.</summary>
internal static class Command
{
    /// <summary>A program that prints for ever must not fill the memory.</summary>
    private const int MaxOutput = 4 << 20;

    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>Set when the run is ended from outside. Any thread.</summary>
    private static volatile bool _isOver;

    /// <summary>Ends all programs that run, within a moment, and lets no other start: a mutant may go in circles for ever.</summary>
    public static void EndAll() => _isOver = true;

    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="limits">Beyond these it is killed, and its children with it; null for no limits.</param>
    /// <param name="variables">Environment variables besides ours.</param>
    /// <exception cref="MutationException"><see cref="EndAll"/> was called.</exception>
    public static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string folder, RunLimits? limits = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        if (_isOver) throw Ended();
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
        var watchdog = limits is null ? null : new Watchdog(limits);
        var processor = TimeSpan.Zero;
        var isStuck = false;
        var exit = process.WaitForExitAsync();
        while (await Task.WhenAny(exit, Task.Delay(SampleEvery)) != exit)
        {
            processor = ProcessorTime(process) ?? processor;
            isStuck = watchdog?.IsStuck(processor, watch.Elapsed) == true;
            if (isStuck || _isOver) process.Kill(entireProcessTree: true);
        }

        await exit;
        if (_isOver) throw Ended();
        return new CommandResult(isStuck ? null : process.ExitCode, Text(), watch.Elapsed, processor);

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

    private static MutationException Ended() => new("the run was ended by a signal");

    /// <summary>Null when the process has ended.</summary>
    private static TimeSpan? ProcessorTime(Process process)
    {
        try
        {
            return process.TotalProcessorTime;
        }
        // The second one comes from a process that ends just now.
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
