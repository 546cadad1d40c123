using KeyEvt.Forwarder.Amqp;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Broker;

/// <summary>One connection as the broker sees it: which messages has it taken, and what has it said of them?</summary>
internal sealed class BrokerSession(VirtualBroker broker, string owner, int connectionNumber, ILinkEvents events, Wire up, Wire down)
{
    private readonly Queue<(ulong Tag, BrokerMessage Message)> _blocked = new();
    private ulong _unconfirmedUpTo;
    private bool _isOver;
    private bool _isToldBlocked;

    /// <summary>The program that has opened it.</summary>
    public string Owner => owner;

    /// <summary>The program closes it, behind what it has sent.</summary>
    public void Abandon() => up.Put(Left);

    public void Take(ulong tag, BrokerMessage message)
    {
        if (_isOver) return;

        if (broker.Mood == BrokerMood.Blocked)
        {
            _blocked.Enqueue((tag, message));
            if (_isToldBlocked) return;

            _isToldBlocked = true;
            down.Put(() => events.Blocked(connectionNumber, "low on memory"));
            return;
        }

        if (broker.Mood == BrokerMood.Refusing && broker.Random.Next(3) == 0)
        {
            Confirm();
            broker.Refuse(message);
            down.Put(() => events.Confirmed(connectionNumber, tag, multiple: false, refused: true));
            return;
        }

        if (broker.Mood == BrokerMood.WithoutQueue) down.Put(() => events.Returned(connectionNumber, message.Id, "NO_ROUTE"));
        else broker.Consume(message);

        _unconfirmedUpTo = tag;
        // Often several are confirmed together, as the broker comes to it.
        if (broker.Random.Next(3) > 0) Confirm();
        else broker.Later(this);
    }

    /// <summary>Confirms everything up to the last message.</summary>
    public void Confirm()
    {
        if (_isOver || _unconfirmedUpTo == 0) return;

        var tag = _unconfirmedUpTo;
        _unconfirmedUpTo = 0;
        down.Put(() => events.Confirmed(connectionNumber, tag, multiple: true, refused: false));
    }

    public void MoodChanged()
    {
        if (broker.Mood == BrokerMood.Blocked || _isOver) return;

        if (_isToldBlocked) down.Put(() => events.Blocked(connectionNumber, null));
        _isToldBlocked = false;
        while (_blocked.TryDequeue(out var one)) Take(one.Tag, one.Message);
    }

    /// <summary>The connection ends from the broker's side.</summary>
    public void Break(string reason)
    {
        if (_isOver) return;

        _isOver = true;
        down.Put(() => events.Closed(connectionNumber, LinkFailureKind.Connection, reason));
    }

    /// <summary>The connection ends from the program's side.</summary>
    public void Left()
    {
        _isOver = true;
        broker.Forget(this);
    }
}
