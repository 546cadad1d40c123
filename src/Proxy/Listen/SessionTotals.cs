using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.Listen;

/// <summary>What have the sessions done that are over? Thread safe; told once by each session's end.</summary>
internal sealed class SessionTotals
{
    private readonly Lock _gate = new();
    private readonly long[] _ended = new long[Enum.GetValues<SessionEndReason>().Length];
    private readonly HashSet<long> _over = [];
    private SessionTraffic _traffic;

    public long EndedBy(SessionEndReason reason)
    {
        lock (_gate) return _ended[(int)reason];
    }

    /// <summary>Its pumps have ended: nothing passes any more. It may still be in the registry.</summary>
    public void Add(ProxySession session)
    {
        lock (_gate)
        {
            _ended[(int)session.EndReason]++;
            _traffic += session.Traffic;
            _over.Add(session.Id);
        }
    }

    /// <summary>It has left the registry, too.</summary>
    public void Forget(ProxySession session)
    {
        lock (_gate) _over.Remove(session.Id);
    }

    /// <summary>Of these, and of all that are over; none counts twice.</summary>
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
