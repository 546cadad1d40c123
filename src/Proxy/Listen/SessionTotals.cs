using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.Listen;

/// <summary>What have the sessions done that have ended? Thread safe: the gate guards all fields. Each session is added once, when it ends.</summary>
internal sealed class SessionTotals
{
    private readonly Lock _gate = new();
    private readonly long[] _ended = new long[Enum.GetValues<SessionEndReason>().Length];

    /// <summary>Ids of sessions that were added and are still in the registry.</summary>
    private readonly HashSet<long> _over = [];
    private SessionTraffic _traffic;

    public long EndedBy(SessionEndReason reason)
    {
        lock (_gate) return _ended[(int)reason];
    }

    /// <summary>Adds a session whose pumps have ended, so that its counters do not change any more. It may still be in the registry.</summary>
    public void Add(ProxySession session)
    {
        lock (_gate)
        {
            _ended[(int)session.EndReason]++;
            _traffic += session.Traffic;
            _over.Add(session.Id);
        }
    }

    /// <summary>Called when the session has left the registry, too.</summary>
    public void Forget(ProxySession session)
    {
        lock (_gate) _over.Remove(session.Id);
    }

    /// <summary>The traffic of these sessions and of all that have ended; no session counts twice.</summary>
    public SessionTraffic TrafficWith(IEnumerable<KeyValuePair<long, ProxySession>> sessions)
    {
        lock (_gate)
        {
            var sum = _traffic;
            foreach (var (id, session) in sessions)
            {
                if (!_over.Contains(id)) sum += session.Traffic;
            }

            return sum;
        }
    }
}
