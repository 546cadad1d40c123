using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Broker;

/// <summary>A RabbitMQ in memory, with one queue whose consumer takes everything at once.</summary>
internal sealed class VirtualBroker(VirtualTime time, Random random, Action<BrokerMessage> consume, Action<BrokerMessage> refused)
{
    private readonly List<BrokerSession> _sessions = [];
    private readonly Queue<Action> _waiting = new();

    public bool IsUp { get; private set; } = true;

    public BrokerMood Mood { get; private set; }

    public Random Random => random;

    public void Accept(BrokerSession session) => _sessions.Add(session);

    public void Forget(BrokerSession session) => _sessions.Remove(session);

    /// <summary>Does something in its turn, as soon as the broker does anything.</summary>
    public void Handle(Action step)
    {
        if (!IsUp) return;

        _waiting.Enqueue(step);
        HandleWaiting();
    }

    public void Consume(BrokerMessage message) => consume(message);

    public void Refuse(BrokerMessage message) => refused(message);

    /// <summary>Confirms what this connection has sent a moment later.</summary>
    public void Later(BrokerSession session) => time.After(TimeSpan.FromMilliseconds(1 + random.Next(20)), () => Handle(session.Confirm));

    public void SetMood(BrokerMood mood)
    {
        Mood = mood;
        foreach (var session in _sessions.ToList()) session.MoodChanged();
        HandleWaiting();
    }

    public void Kill()
    {
        IsUp = false;
        _waiting.Clear();
        foreach (var session in _sessions.ToList()) session.Break("the broker has gone");
        _sessions.Clear();
    }

    /// <summary>A program has died, and the system closes its connections. What it had sent before still arrives.</summary>
    public void Abandon(string owner)
    {
        foreach (var session in _sessions.Where(session => session.Owner == owner)) session.Abandon();
    }

    /// <summary>Closes all connections, as an administrator can.</summary>
    public void CloseAll()
    {
        foreach (var session in _sessions.ToList()) session.Break("CONNECTION_FORCED");
        _sessions.Clear();
    }

    public void Start(BrokerMood mood) => (IsUp, Mood) = (true, mood);

    private void HandleWaiting()
    {
        while (IsUp && Mood != BrokerMood.Frozen && _waiting.TryDequeue(out var step)) step();
    }
}
