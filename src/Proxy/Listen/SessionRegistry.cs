using System.Collections.Concurrent;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Listen;

/// <summary>Which sessions are there? A session is here before it runs, until it is disposed. No more than so many: further clients are told so, in Redis' words.</summary>
/// <param name="services">Of sessions for which no others are named.</param>
internal sealed class SessionRegistry(SessionServices services, int maxClients = int.MaxValue)
{
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(60);

    /// <summary>From the cut of both connections to the end of a session.</summary>
    private static readonly TimeSpan CutDeadline = TimeSpan.FromSeconds(1);

    private static readonly ReadOnlyMemory<byte> TooMany = Replies.Error("ERR max number of clients reached");

    /// <summary>Refused clients that may take their time to read why; more at once are cut.</summary>
    public const int MaxFarewells = 64;

    private readonly ConcurrentDictionary<long, ProxySession> _sessions = new();
    private readonly SessionTotals _totals = new();
    private long _lastId;
    private int _count;
    private int _farewells;
    private long _refused;
    private readonly RateLimiter _refusalWarnings = new(services.Time, WarnEvery);
    private TaskCompletionSource? _allEnded;

    /// <summary>Of sessions for which no others are named.</summary>
    public SessionServices Services => services;

    /// <summary>Sessions now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Sessions since the start.</summary>
    public long Total => Volatile.Read(ref _lastId);

    /// <summary>Clients beyond the limit since the start.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Clients at once.</summary>
    public int MaxClients => maxClients;

    /// <summary>Sessions that have ended for this reason.</summary>
    public long EndedBy(SessionEndReason reason) => _totals.EndedBy(reason);

    /// <summary>What has passed since the start.</summary>
    public SessionTraffic Traffic => _totals.TrafficWith(_sessions);

    /// <summary>Whether there are sessions of these very services.</summary>
    public bool HasSessionsOf(SessionServices these) => _sessions.Values.Any(session => ReferenceEquals(session.Services, these));

    /// <summary>Takes the connection over.</summary>
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
            _ = RunAsync(session); // nothing in a session uses async-local values, and each continuation would carry them
        }
    }

    /// <summary>Asks all sessions to end, and cuts those that have not by the deadline; returns how many those were. One that does not end even then is said, and not waited for.</summary>
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

    /// <summary>Ends the sessions in which nothing has come from either side for this long; returns when told to stop.</summary>
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

    /// <summary>Error text and FIN; then its bytes are read away for a moment, as closing over unread bytes could destroy the text on its way.</summary>
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
            // gone, or slow: it was refused anyway
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
            ListenLog.EndFault(services.Logger, e); // nobody awaits this task
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

    /// <summary>No session is left; none begins any more.</summary>
    private Task AllEnded()
    {
        Interlocked.CompareExchange(ref _allEnded, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null); // a fence: seen by whoever removes a session that is seen here
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
            SessionLog.SessionFault(services.Logger, session.Id, e); // it was to end without one
        }
        finally
        {
            _totals.Add(session);
            _sessions.TryRemove(session.Id, out _);
            _totals.Forget(session);
            Interlocked.Decrement(ref _count); // a fence, see AllEnded
            if (_allEnded is { } allEnded && _sessions.IsEmpty) allEnded.TrySetResult();
        }
    }
}
