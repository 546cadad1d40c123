using System.Diagnostics;
using System.Globalization;

namespace KeyEvt.Servers;

/// <summary>For how long has the machine kept a Redis from running that wanted to? What Redis measures as the time of a command may hold as much.</summary>
/// <remarks>
/// The kernel counts for each process how long it has waited for a processor (/proc/PID/schedstat), and for each processor how long the host of a virtual
/// machine has taken it away (steal, /proc/stat). Both are read every few milliseconds. All processes with redis-server or valkey-server as their name are watched.
/// </remarks>
public sealed class ProcessorWatch : IDisposable
{
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan SearchInterval = TimeSpan.FromSeconds(1);
    private static readonly string[] Names = ["redis-server", "valkey-server"];

    private readonly Thread _thread;
    private readonly ManualResetEventSlim _over = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<int, List<Sample>> _samples = [];

    public ProcessorWatch()
    {
        _thread = new Thread(Watch) { IsBackground = true };
        _thread.Start();
    }

    private readonly record struct Sample(long At, TimeSpan Waited);

    /// <summary>The longest that a process was kept from running within any span of this length, since <see cref="Forget"/>.</summary>
    public TimeSpan Longest(int process, TimeSpan span)
    {
        lock (_gate)
        {
            var longest = TimeSpan.Zero;
            if (!_samples.TryGetValue(process, out var samples)) return longest;

            for (int first = 0, last = 1; last < samples.Count; last++)
            {
                // A span that begins and ends between two samples lies within those around it.
                while (Stopwatch.GetElapsedTime(samples[first + 1].At, samples[last - 1].At) > span) first++;
                var waited = samples[last].Waited - samples[first].Waited;
                if (waited > longest) longest = waited;
            }

            return longest;
        }
    }

    public void Forget()
    {
        lock (_gate) _samples.Clear();
    }

    public void Dispose()
    {
        _over.Set();
        _thread.Join();
        _over.Dispose();
    }

    private void Watch()
    {
        List<int> processes = [];
        long searchedAt = 0;
        while (!_over.Wait(Nap))
        {
            if (searchedAt == 0 || Stopwatch.GetElapsedTime(searchedAt) > SearchInterval)
            {
                (processes, searchedAt) = (Find(), Stopwatch.GetTimestamp());
            }

            var stolen = Stolen();
            foreach (var process in processes)
            {
                if (WaitedOf(process) is not { } waited) continue;

                lock (_gate)
                {
                    if (!_samples.TryGetValue(process, out var samples)) _samples[process] = samples = [];
                    samples.Add(new Sample(Stopwatch.GetTimestamp(), waited + stolen));
                }
            }
        }
    }

    private static List<int> Find()
    {
        List<int> found = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            if (Read($"/proc/{process}/comm") is { } name && Names.Contains(name.Trim())) found.Add(process);
        }

        return found;
    }

    /// <summary>The second of three numbers: nanoseconds that the main thread has waited for a processor.</summary>
    private static TimeSpan? WaitedOf(int process) =>
        Read($"/proc/{process}/schedstat")?.Split(' ') is [_, var waited, _] ? TimeSpan.FromMicroseconds(long.Parse(waited, CultureInfo.InvariantCulture) / 1000) : null;

    /// <summary>The eighth number of the first line, in hundredths of a second.</summary>
    private static TimeSpan Stolen() =>
        Read("/proc/stat")?.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 8 } fields
            ? TimeSpan.FromMilliseconds(10 * long.Parse(fields[8], CultureInfo.InvariantCulture)) : TimeSpan.Zero;

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended
        }
    }
}
