using System.Collections.Concurrent;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Listen;

/// <summary>Which sessions are there? A session is here before it runs, until it is disposed.</summary>
internal sealed class SessionRegistry(SessionServices services)
{
    private readonly ConcurrentDictionary<long, (ProxySession Session, Task Ended)> _sessions = new();
    private long _lastId;

    /// <summary>Sessions now.</summary>
    public int Count => _sessions.Count;

    /// <summary>Sessions since the start.</summary>
    public long Total => Volatile.Read(ref _lastId);

    /// <summary>Takes the connection over.</summary>
    public void Start(IConnection client)
    {
        var session = new ProxySession(Interlocked.Increment(ref _lastId), client, services);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sessions[session.Id] = (session, ended.Task);
        using (ExecutionContext.SuppressFlow()) _ = RunAsync(session, ended); // nothing in a session uses async-local values, and each continuation would carry them
    }

    /// <summary>Asks all sessions to end, and cuts those that have not by the deadline; returns how many those were.</summary>
    public async Task<int> StopAsync(TimeSpan deadline, TimeProvider time)
    {
        foreach (var (session, _) in _sessions.Values) session.Stop();
        try
        {
            await AllEnded().WaitAsync(deadline, time).ConfigureAwait(false);
            return 0;
        }
        catch (TimeoutException)
        {
            var left = _sessions.Values;
            foreach (var (session, _) in left) session.Abort();
            await AllEnded().ConfigureAwait(false);
            return left.Count;
        }
    }

    private Task AllEnded() => Task.WhenAll(_sessions.Values.Select(entry => entry.Ended));

    private async Task RunAsync(ProxySession session, TaskCompletionSource ended)
    {
        try
        {
            await session.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            _sessions.TryRemove(session.Id, out _);
            ended.SetResult();
        }
    }
}
