// How is a server process started so that it cannot outlive the test process, and watched while it lives?
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace KeyEvt.Servers;

/// <summary>
/// One child process with captured output. It is started through setpriv --pdeathsig KILL: the kernel kills it when the
/// thread that started it ends, which is why all are started by one thread that lives as long as this process (a pool
/// thread may end at any time, and would take the server with it). And through setsid: a Ctrl-C in the terminal reaches this
/// process only, which then stops its servers in order.
/// </summary>
public sealed class ChildProcess : IDisposable
{
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    private const int KeptLines = 20_000;
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private readonly string _name;

    static ChildProcess()
    {
        new Thread(static () =>
        {
            foreach (var start in Starts.GetConsumingEnumerable()) start();
        })
        { IsBackground = true, Name = "process starter" }.Start();
    }

    private ChildProcess(Process process, string name)
    {
        _process = process;
        _name = name;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>128 + signal when a signal ended it.</summary>
    public int ExitCode => _process.ExitCode;

    public StreamWriter Input => _process.StandardInput;

    public IReadOnlyList<string> OutputLines
    {
        get
        {
            lock (_lock) return [.. _output];
        }
    }

    public IReadOnlyList<string> ErrorLines
    {
        get
        {
            lock (_lock) return [.. _errors];
        }
    }

    public string AllText
    {
        get
        {
            lock (_lock) return string.Join('\n', _output.Concat(_errors));
        }
    }

    /// <summary>User and system time since its start.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            // man proc_pid_stat: the fields after the last ')' begin with state; utime and stime are the 12th and 13th of them, in ticks of 10 ms.
            var stat = File.ReadAllText($"/proc/{Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return TimeSpan.FromMilliseconds(ticks * 10);
        }
    }

    public long ResidentBytes => StatusBytes("VmRSS:");

    /// <summary>The most that was ever resident, or since ResetPeak.</summary>
    public long PeakResidentBytes => StatusBytes("VmHWM:");

    public int OpenFiles => Directory.GetFileSystemEntries($"/proc/{Id}/fd").Length;

    /// <param name="environment">Set beside what this process has; null takes a variable away.</param>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        string? folder = null,
        IEnumerable<KeyValuePair<string, string?>>? environment = null,
        bool withInput = false,
        Action<string>? onLine = null)
    {
        var info = new ProcessStartInfo("setsid")
        {
            WorkingDirectory = folder ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[] { "setpriv", "--pdeathsig", "KILL", program }.Concat(arguments)) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? []) info.Environment[name] = value;

        var child = new ChildProcess(new Process { StartInfo = info }, System.IO.Path.GetFileName(program));
        child._process.OutputDataReceived += (_, line) => child.Keep(child._output, line.Data, onLine);
        child._process.ErrorDataReceived += (_, line) => child.Keep(child._errors, line.Data, onLine);
        var started = new TaskCompletionSource();
        Starts.Add(() =>
        {
            try
            {
                child._process.Start();
                started.SetResult();
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        started.Task.GetAwaiter().GetResult();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        if (!withInput) child._process.StandardInput.Close();
        return child;
    }

    /// <summary>Waits for an output or error line; fails at once, with the output's end, when the process ends before it.</summary>
    public async Task<string> LineAsync(string what, Func<string, bool> isIt, TimeSpan? deadline = null)
    {
        string? Find()
        {
            lock (_lock) return _output.Concat(_errors).FirstOrDefault(isIt);
        }

        await Eventually.TrueAsync($"{_name} to say {what}", () => Find() is not null || HasExited, deadline).ConfigureAwait(false);
        if (HasExited) await ExitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false); // which reads its output to the end
        return Find() ?? throw new InvalidOperationException($"{_name} ended with {ExitCode} before it said {what}:\n{Tail(30)}");
    }

    /// <summary>Waits for these words in a line: what a program writes is read a moment after it is done.</summary>
    public Task<string> SaysAsync(string words) => LineAsync($"'{words}'", line => line.Contains(words, StringComparison.Ordinal));

    /// <summary>Does nothing when it has ended.</summary>
    public void Signal(int signal)
    {
        if (!HasExited) _ = kill(Id, signal);
    }

    public async Task<int> ExitAsync(TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        try
        {
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_name} did not end within {deadline.TotalSeconds:0.#} s:\n{Tail(30)}");
        }
        return ExitCode;
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await ExitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
    }

    public string Tail(int lines)
    {
        lock (_lock) return string.Join('\n', _output.TakeLast(lines).Concat(_errors.TakeLast(lines)));
    }

    public void ForgetOutput()
    {
        lock (_lock)
        {
            _output.Clear();
            _errors.Clear();
        }
    }

    /// <summary>From now on PeakResidentBytes counts anew.</summary>
    public void ResetPeak() => File.WriteAllText($"/proc/{Id}/clear_refs", "5");

    public void Dispose()
    {
        Signal(SigKill);
        _process.WaitForExit(TimeSpan.FromSeconds(10));
        _process.Dispose();
    }

    private void Keep(List<string> lines, string? line, Action<string>? onLine)
    {
        if (line is null) return;
        lock (_lock)
        {
            if (lines.Count >= KeptLines) lines.RemoveRange(0, KeptLines / 2);
            lines.Add(line);
        }
        onLine?.Invoke(line);
    }

    private long StatusBytes(string field)
    {
        var line = File.ReadLines($"/proc/{Id}/status").First(text => text.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }

#pragma warning disable SYSLIB1054, IDE1006 // one plain libc call: no generated marshalling wanted; libc's own name
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
#pragma warning restore SYSLIB1054, IDE1006
}
