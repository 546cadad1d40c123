using System.Collections.Concurrent;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Listen;

/// <summary>
/// Which sessions are there? A session is registered before it runs, until it is disposed of. Clients beyond the limit get the error that Redis gives. Thread
/// safe.
/// </summary>
/// <param name="services">For sessions that are started without services of their own.</param>
internal sealed class SessionRegistry(SessionServices services, int maxClients = int.MaxValue)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(60);

    /// <summary>How long a session may take to end after both its connections were cut.</summary>
    private static readonly TimeSpan CutDeadline = TimeSpan.FromSeconds(1);

    private static readonly ReadOnlyMemory<byte> TooMany = Replies.Error("ERR max number of clients reached");

    /// <summary>How many refused clients may be given time to read the error at once. Any more are cut right away.</summary>
    public const int MaxFarewells = 64;

    private readonly ConcurrentDictionary<long, ProxySession> _sessions = new();
    private readonly SessionTotals _totals = new();

    /// <summary>This and the next three are changed by Interlocked only, on any thread, and read by Volatile.</summary>
    private long _lastId;
    private int _count;
    private int _farewells;
    private long _refused;
    private readonly RateLimiter _refusalWarnings = new(services.Time, WarnEvery);

    /// <summary>Set once, when the server stops, by Interlocked. See <see cref="AllEnded"/> for how the sessions' ends read it.</summary>
    private TaskCompletionSource? _allEnded;

    /// <summary>For sessions that are started without services of their own.</summary>
    public SessionServices Services => services;

    /// <summary>How many sessions there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many sessions there have been since the start.</summary>
    public long Total => Volatile.Read(ref _lastId);

    /// <summary>How many clients beyond the limit were refused since the start.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>How many clients may be connected at once.</summary>
    public int MaxClients => maxClients;

    /// <summary>How many sessions have ended for this reason.</summary>
    public long EndedBy(SessionEndReason reason) => _totals.EndedBy(reason);

    /// <summary>What has passed through all sessions since the start.</summary>
    public SessionTraffic Traffic => _totals.TrafficWith(_sessions);

    /// <summary>Whether there are sessions that were started with this very object.</summary>
    public bool HasSessionsOf(SessionServices these) => _sessions.Values.Any(session => ReferenceEquals(session.Services, these));

    /// <summary>Takes over the connection: begins a session, or refuses the client.</summary>
    public void Start(IConnection client, SessionServices? with = null)
    {
        if (Interlocked.Increment(ref _count) > maxClients)
        {
            Interlocked.Decrement(ref _count);
            _ = RefuseAsync(client);
            return;
        }

        var session = new ProxySession(Interlocked.Increment(ref _lastId), client, with ?? services);
        _sessions[session.Id] = session;
        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync(session); // with the flow suppressed, since each continuation would carry async-local values, which no session uses
        }
    }

    /// <summary>
    /// Asks all sessions to end, and cuts those that have not ended by the deadline. Returns how many those were. Sessions that do not end even then are
    /// logged, and not waited for.
    /// </summary>
    public async Task<int> StopAsync(TimeSpan deadline, TimeProvider time)
    {
        foreach (var session in _sessions.Values) session.Stop();
        try
        {
            await AllEnded().WaitAsync(deadline, time).ConfigureAwait(false);
            return 0;
        }
        catch (TimeoutException)
        {
            var left = _sessions.Values;
            foreach (var session in left) session.Abort();
            await LastOnesAsync(time).ConfigureAwait(false);
            return left.Count;
        }
    }

    private async Task LastOnesAsync(TimeProvider time)
    {
        try
        {
            await AllEnded().WaitAsync(CutDeadline, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            ListenLog.SessionsHang(services.Logger, Count);
        }
    }

    /// <summary>Ends the sessions in which nothing has come from either side for this long. Runs until told to stop.</summary>
    public async Task CloseIdleAsync(TimeSpan timeout, TimeProvider time, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Math.Min(1, timeout.TotalSeconds / 4)), time);
        var seen = new Dictionary<long, (long Reads, long Since)>();
        while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
        {
            foreach (var (id, session) in _sessions)
            {
                var reads = session.Reads;
                if (!seen.TryGetValue(id, out var last) || last.Reads != reads) seen[id] = (reads, time.GetTimestamp());
                else if (time.GetElapsedTime(last.Since) >= timeout) session.End(SessionEndReason.IdleTimeout);
            }

            foreach (var id in seen.Keys.Where(id => !_sessions.ContainsKey(id)).ToList()) seen.Remove(id);
        }
    }

    /// <summary>
    /// Sends the error text and FIN. Then the client's bytes are read and dropped for a moment, since closing with unread bytes could destroy the text on its
    /// way.
    /// </summary>
    private async Task RefuseAsync(IConnection client)
    {
        Interlocked.Increment(ref _refused);
        var mayLinger = Interlocked.Increment(ref _farewells) <= MaxFarewells;
        WarnOfRefusal();
        try
        {
            client.Output.TryWrite(TooMany);
            await client.Output.TryFlushAsync().ConfigureAwait(false);
            await client.Output.CompleteAsync().ConfigureAwait(false);
            if (mayLinger) await ReadAwayAsync(client).WaitAsync(TimeSpan.FromSeconds(1), services.Time).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // the client is gone or slow; it was refused anyway
        }
        finally
        {
            Interlocked.Decrement(ref _farewells);
            await EndAsync(client).ConfigureAwait(false);
        }
    }

    private async Task EndAsync(IConnection client)
    {
        try
        {
            client.Abort();
            await client.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            TransportLog.EndFault(services.Logger, e); // logged here, as nobody awaits this task
        }
    }

    private static async Task ReadAwayAsync(IConnection client)
    {
        while (true)
        {
            var read = await client.Input.ReadAsync().ConfigureAwait(false);
            if (read.IsCompleted) return;
            client.Input.AdvanceTo(read.Buffer.End);
        }
    }

    private void WarnOfRefusal()
    {
        if (_refusalWarnings.TryTake()) ListenLog.ClientsRefused(services.Logger, maxClients);
    }

    /// <summary>Completes when no session is left. Called when no more sessions begin.</summary>
    private Task AllEnded()
    {
        // Interlocked is also a fence: either the task source is seen by a session that ends, or that session's removal is seen in the next line.
        Interlocked.CompareExchange(ref _allEnded, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        if (_sessions.IsEmpty) _allEnded.TrySetResult();
        return _allEnded.Task;
    }

    private async Task RunAsync(ProxySession session)
    {
        try
        {
            await session.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            SessionLog.SessionFault(services.Logger, session.Id, e); // a session's RunAsync must not throw, so this is a bug
        }
        finally
        {
            _totals.Add(session);
            _sessions.TryRemove(session.Id, out _);
            _totals.Forget(session);
            Interlocked.Decrement(ref _count); // also a fence, see AllEnded
            if (_allEnded is { } allEnded && _sessions.IsEmpty) allEnded.TrySetResult();
        }
    }
}
