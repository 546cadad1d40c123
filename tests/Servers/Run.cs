// How is a program run to its end, with bytes in and bytes out?
using System.Diagnostics;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>What a program that has ended left: its exit code and both outputs.</summary>
public sealed record RunResult(int ExitCode, byte[] OutputBytes, string Errors)
{
    /// <summary>Latin-1: one character a byte.</summary>
    public string Output => Encoding.Latin1.GetString(OutputBytes);

    public override string ToString() => $"exit {ExitCode}\n{Output}\n{Errors}";
}

/// <summary>Runs programs that end by themselves; kills them past the deadline.</summary>
public static class Run
{
    public static async Task<RunResult> ToEndAsync(
        string program,
        IEnumerable<string> arguments,
        byte[]? input = null,
        IEnumerable<KeyValuePair<string, string?>>? environment = null,
        TimeSpan? deadline = null)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        foreach (var (name, value) in environment ?? []) process.StartInfo.Environment[name] = value;
        process.Start();
        using var limit = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(60));
        try
        {
            using var output = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await FeedAsync(process, input, limit.Token).ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return new RunResult(process.ExitCode, output.ToArray(), await errors.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in time");
        }
    }

    private static async Task FeedAsync(Process process, byte[]? input, CancellationToken cancellationToken)
    {
        try
        {
            if (input is not null) await process.StandardInput.BaseStream.WriteAsync(input, cancellationToken).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of its input: its exit code and output tell why.
        }
    }
}
