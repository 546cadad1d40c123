using System.Globalization;
using System.Net.Sockets;

namespace KeyEvt.Servers.Oracle;

/// <summary>How does a writer write? Each default is the plain case.</summary>
/// <param name="Port">The proxy's, or Redis' own.</param>
public sealed record WriterSetting(int Port)
{
    /// <summary>Where the master is now, when it moves.</summary>
    public Func<Task<int>>? FindPort { get; init; }

    /// <summary>Who serves which slots, of a cluster: its keys are spread over all of them, and order is each node's.</summary>
    public Func<Task<IReadOnlyList<ClusterLine>>>? Slots { get; init; }

    /// <summary>Writes a second; 0: as fast as they are answered.</summary>
    public int Rate { get; init; } = 500;

    /// <summary>SETs sent before the first answer is read.</summary>
    public int Pipeline { get; init; } = 10;

    /// <summary>Seconds that a key lives, for long runs; 0: for ever.</summary>
    public int KeyLife { get; init; }

    /// <summary>Redis does the writes even when its memory is full.</summary>
    public bool EvenWhenFull { get; init; }

    public int ValueBytes { get; init; } = 1;
}

/// <summary>
/// Writes keys of its own until it is stopped, and notes what was attempted, acknowledged and refused. A lost connection is opened again: what
/// was on its way stays attempted, the next write is a new key.
/// </summary>
internal sealed class FaultWriter(string run, int index, WriterSetting setting)
{
    /// <summary>All its keys go to one node at a time.</summary>
    public bool KeepsOrder => setting.Slots is null;

    private const string ScriptEvenWhenFull = "#!lua flags=allow-oom\nreturn redis.call(unpack(ARGV))";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _value = new('v', setting.ValueBytes);

    public WriterBook Book { get; } = new();

    /// <summary>Error replies by their first word.</summary>
    public Dictionary<string, long> Refusals { get; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (setting.Slots is { } slots)
                {
                    await WriteClusterAsync(slots, stop).ConfigureAwait(false);
                    continue;
                }

                await using var client = await RespClient.ConnectAsync(setting.FindPort is { } find ? await find().ConfigureAwait(false) : setting.Port).ConfigureAwait(false);
                await WriteAsync(client, stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or TimeoutException or InvalidOperationException)
            {
                await Task.Delay(20, CancellationToken.None).ConfigureAwait(false); // the server is away: that is what the run is about
            }
        }
    }

    private async Task WriteClusterAsync(Func<Task<IReadOnlyList<ClusterLine>>> slots, CancellationToken stop)
    {
        await using var cluster = new ClusterWriting(Book, Command, number => OracleKey.Of(run, index, number), Count, slots);
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds((double)setting.Pipeline / setting.Rate));
        while (!stop.IsCancellationRequested)
        {
            await cluster.WriteAsync(Book.Attempt(setting.Pipeline), setting.Pipeline).ConfigureAwait(false);
            await pace.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(RespClient client, CancellationToken stop)
    {
        using var pace = setting.Rate == 0 ? null : new PeriodicTimer(TimeSpan.FromSeconds((double)setting.Pipeline / setting.Rate));
        while (!stop.IsCancellationRequested)
        {
            var isDemoted = false;
            var first = Book.Attempt(setting.Pipeline);
            await client.SendAsync(Enumerable.Range(first, setting.Pipeline).SelectMany(Command).ToArray(), Patience).ConfigureAwait(false);
            for (var number = first; number < first + setting.Pipeline; number++)
            {
                var reply = await client.ReadReplyAsync(Patience).ConfigureAwait(false);
                Book.Answered(number, !reply.IsError);
                if (reply.IsError) Count(reply.Text.Split(' ')[0]);
                isDemoted |= reply.IsError && setting.FindPort is not null && (reply.Text.StartsWith("READONLY", StringComparison.Ordinal) || reply.Text.StartsWith("NOREPLICAS", StringComparison.Ordinal));
            }

            if (isDemoted) throw new IOException("a replica by now: look for the master again");

            if (pace is not null) await pace.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private byte[] Command(int number)
    {
        var key = OracleKey.Of(run, index, number);
        string[] command = setting.KeyLife == 0 ? ["SET", key, _value] : ["SET", key, _value, "EX", setting.KeyLife.ToString(CultureInfo.InvariantCulture)];
        return RespClient.Command(setting.EvenWhenFull ? ["EVAL", ScriptEvenWhenFull, "0", .. command] : command);
    }

    private void Count(string word)
    {
        lock (Refusals) Refusals[word] = Refusals.GetValueOrDefault(word) + 1;
    }
}
