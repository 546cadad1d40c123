// Did every write that Redis acknowledged arrive, whatever happened meanwhile?
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace KeyEvt.Servers.Oracle;

/// <summary>
/// The oracle of the fault catalogue. Writers write unique keys, an independent consumer takes the messages, a watch reads the program's own report;
/// the verdict compares the three. There may be several programs that forward as one. The program must forward "set" of all keys (--events with $), and the consumer belongs to this run alone.
/// </summary>
public sealed class FaultRun : IAsyncDisposable
{
    private const int MostKept = 1000;

    private readonly IReadOnlyList<KeyEvtProcess> _programs;
    private readonly EventConsumer _consumer;
    private readonly FaultWriter[] _writers;
    private readonly StreamOrder _order = new();
    private readonly ConcurrentQueue<string> _unexpected = new();
    private readonly CancellationTokenSource _stopWriting = new();
    private readonly CancellationTokenSource _stopWatching = new();
    private long _duplicated;
    private Task _writing = Task.CompletedTask;
    private Task _watching = Task.CompletedTask;

    private FaultRun(
        IReadOnlyList<KeyEvtProcess> programs, Func<KeyEvtProcess, Task<IReadOnlyDictionary<string, string>>> ask, Func<Task<IReadOnlyList<FallbackList>>> lists,
        EventConsumer consumer, WriterSetting[] settings)
    {
        (_programs, _consumer) = (programs, consumer);
        _writers = [.. settings.Select((setting, index) => new FaultWriter(Name, index, setting))];
        Watches = [.. programs.Select(program => new InfoWatch(() => ask(program), lists, Stored))];
        consumer.OnReceived = Arrived;
    }

    /// <summary>Part of every key.</summary>
    public string Name { get; } = Guid.NewGuid().ToString("N")[..8];

    /// <summary>One for each program, in their order.</summary>
    public IReadOnlyList<InfoWatch> Watches { get; }

    public InfoWatch Watch => Watches[0];

    public SilenceMeter Silence { get; } = new();

    public long Acknowledged => _writers.Sum(writer => (long)writer.Book.Acknowledged);

    /// <summary>The writers begin; two through the proxy and one straight to Redis when nothing else is said. Dispose ends everything.</summary>
    public static FaultRun Start(KeyEvtProcess program, RedisServer redis, EventConsumer consumer, params WriterSetting[] writers)
    {
        return Begin(new FaultRun([program], static one => one.InfoAsync(), ListOf(redis), consumer, writers is [] ? [new(program.Port), new(program.Port), new(redis.Port)] : writers));
    }

    /// <summary>For an upstream of several nodes.</summary>
    /// <param name="fallback">Where events are stored now.</param>
    public static FaultRun Start(KeyEvtProcess program, Func<Task<IReadOnlyList<FallbackList>>> fallback, EventConsumer consumer, params WriterSetting[] writers) =>
        Begin(new FaultRun([program], static one => one.AdminInfoAsync(), fallback, consumer, writers));

    /// <summary>For a group: all of these forward the events of one Redis, each event once. Those that were killed and left so are asked nothing.</summary>
    public static FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, RedisServer redis, EventConsumer consumer, params WriterSetting[] writers) =>
        Begin(new FaultRun(programs, static one => one.AdminInfoAsync(), ListOf(redis), consumer, writers is [] ? [new(redis.Port)] : writers));

    /// <summary>For a group before several nodes.</summary>
    /// <param name="fallback">Where events are stored now.</param>
    public static FaultRun Start(IReadOnlyList<KeyEvtProcess> programs, Func<Task<IReadOnlyList<FallbackList>>> fallback, EventConsumer consumer, params WriterSetting[] writers) =>
        Begin(new FaultRun(programs, static one => one.AdminInfoAsync(), fallback, consumer, writers));

    private static Func<Task<IReadOnlyList<FallbackList>>> ListOf(RedisServer redis) => () => Task.FromResult<IReadOnlyList<FallbackList>>([new(redis, FallbackList.Name)]);

    private static FaultRun Begin(FaultRun run)
    {
        run._writing = Task.WhenAll(run._writers.Select(writer => Task.Run(() => writer.RunAsync(run._stopWriting.Token))));
        run._watching = Task.WhenAll(run.Watches.Select(watch => Task.Run(() => watch.RunAsync(run._stopWatching.Token))));
        return run;
    }

    /// <summary>Waits until Redis has acknowledged so many more writes.</summary>
    public Task MoreAsync(int count, TimeSpan? deadline = null)
    {
        var before = Acknowledged;
        return Eventually.ValueAsync($"{count} more acknowledged writes", () => Task.FromResult(Acknowledged - before), more => more >= count, deadline);
    }

    /// <summary>kill -9, and a new one on the same ports. It is for that one to declare what nobody heard, and what was only in memory.</summary>
    /// <param name="member">Which of several programs.</param>
    public async Task KillProgramAsync(int member = 0)
    {
        Watches[member].NewLife();
        await _programs[member].RestartAsync().ConfigureAwait(false);
    }

    /// <summary>SIGTERM, its exit code, and how long it took; then a new one on the same ports, which declares that nobody listened in between.</summary>
    /// <param name="between">Looks at the one that has ended, and at the world before the new one starts.</param>
    /// <param name="member">Which of several programs.</param>
    public async Task<(int Code, TimeSpan Took)> StopProgramAsync(Action<ChildProcess>? between = null, int member = 0)
    {
        var clock = Stopwatch.StartNew();
        var code = await _programs[member].StopAsync().ConfigureAwait(false);
        var took = clock.Elapsed;
        Watches[member].NewLife();
        await Watch.LookIntoFallbackAsync().ConfigureAwait(false);
        between?.Invoke(_programs[member].Process);
        await _programs[member].RestartAsync().ConfigureAwait(false);
        return (code, took);
    }

    /// <summary>Stops the writers, once what they wrote last is answered.</summary>
    public async Task StopWritingAsync()
    {
        await _stopWriting.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
    }

    /// <summary>Stops the writers, waits until nothing waits any more, and judges.</summary>
    public async Task<Verdict> EndAsync(TimeSpan? deadline = null)
    {
        await StopWritingAsync().ConfigureAwait(false);
        try
        {
            await Eventually.TrueAsync("all events to have left memory and fallback and to have arrived", IsDoneAsync, deadline ?? TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Judged as it is: the verdict says what is missing.
        }
        return await JudgeAsync().ConfigureAwait(false);
    }

    /// <summary>The verdict on the run so far. While writers write, what is on its way counts as lost: see <paramref name="until"/>.</summary>
    /// <param name="until">Writes sent after this are not looked at.</param>
    public async Task<Verdict> JudgeAsync(DateTimeOffset? until = null)
    {
        var left = await Watch.FallbackLengthAsync().ConfigureAwait(false);
        return new Judge(Name, Watches, _writers, until?.UtcTicks ?? long.MaxValue).Make(_order, Interlocked.Read(ref _duplicated), [.. _unexpected], left);
    }

    public async ValueTask DisposeAsync()
    {
        await StopWritingAsync().ConfigureAwait(false);
        await _stopWatching.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stopWatching.Dispose();
        _stopWriting.Dispose();
    }

    private async Task<bool> IsDoneAsync()
    {
        var isHeard = false;
        foreach (var (program, watch) in _programs.Zip(Watches))
        {
            if (_programs.Count > 1 && program.Process.HasExited) continue;

            var info = await watch.LookAsync().ConfigureAwait(false);
            if (info["ledger.waiting_memory"] != "0" || info["ledger.waiting_fallback"] != "0" || info["gaps.gaps_open"] != "0")
            {
                return false;
            }
            isHeard |= info["upstream.feed_state"] == "subscribed";
        }

        if (!isHeard) return false;

        // What is confirmed is taken out of the list only after that.
        if (await Watch.FallbackLengthAsync().ConfigureAwait(false) > 0) return false;
        // Confirmed is not yet arrived; and what the ledger counts as dropped will not arrive.
        var verdict = new Judge(Name, Watches, _writers, long.MaxValue).Make(_order, 0, [], 0);
        return verdict.Lost.Count == 0 || verdict.Lost.Count <= verdict.DroppedTotal;
    }

    private void Arrived(ReceivedEvent message)
    {
        Silence.Ended();
        if (message.Event != "set" || !OracleKey.TryRead(Name, message.Key, out var writer, out var number) || writer >= _writers.Length
            || _writers[writer].Book.Arrived(number, message.MessageId) is not { } isFirst)
        {
            NotExpected(message.ToString());
            return;
        }

        if (!isFirst)
        {
            Interlocked.Increment(ref _duplicated);
        }
        else if (!_order.Add(message.MessageId))
        {
            NotExpected(string.Create(CultureInfo.InvariantCulture, $"the message id '{message.MessageId}'"));
        }

        _consumer.Forget(); // kept here
    }

    private void NotExpected(string what)
    {
        if (_unexpected.Count < MostKept) _unexpected.Enqueue(what);
    }

    private void Stored(string key)
    {
        if (OracleKey.TryRead(Name, key, out var writer, out var number) && writer < _writers.Length) _writers[writer].Book.Stored(number);
    }
}
