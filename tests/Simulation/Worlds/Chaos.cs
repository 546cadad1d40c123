using KeyEvt.Simulation.Broker;
using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>What goes wrong, and what do clients write meanwhile? One fault after another, at random; each mends itself after a while.</summary>
internal sealed class Chaos
{
    private readonly World _world;
    private readonly Random _random;
    private readonly (int Weight, Action Do)[] _faults;
    private readonly Administrator? _administrator;
    private bool _isOver;

    public Chaos(World world)
    {
        (_world, _random) = (world, world.Random);
        _faults =
        [
            (6, KillMember), (3, StopMember), (8, StartMember), (6, FreezeMember), (4, CutFromNode), (3, CutFromBroker), (3, KillNode), (4, FreezeNode), (2, BusyNode), (3, KillSubscribers),
            (2, TakeFlags), (4, KillBroker), (2, CloseBroker), (3, FreezeBroker), (2, BlockBroker), (2, RefuseAtBroker), (1, UnbindQueue), (2, SlowMember), (4, Burst),
        ];
        if (world.Shape.HasSentinel) _faults = [.. _faults, (8, FailOver)];
        _administrator = world.Shape.HasAdministrator ? new Administrator(world) : null;
        if (_administrator is not null) Later(world.Shape.FaultEvery, Command);
        Later(world.Shape.WriteEvery, Write);
        Later(world.Shape.FaultEvery, Fault);
    }

    private VirtualNode Node => _world.Nodes[_random.Next(_world.Nodes.Count)];

    private VirtualBroker Broker => _world.Brokers[_random.Next(_world.Brokers.Count)];

    /// <summary>Nothing goes wrong from here on, and everything is there.</summary>
    public void End()
    {
        _isOver = true;
        _world.Tell("calm");
        _world.Network.MendAll();
        _world.FollowMaster();
        foreach (var node in _world.Nodes)
        {
            if (!node.IsUp) node.Start();
            node.SetMood(NodeMood.Well);
            _world.Demote(node);
        }

        foreach (var broker in _world.Brokers)
        {
            if (!broker.IsUp) broker.Start(BrokerMood.Well);
            broker.SetMood(BrokerMood.Well);
        }

        foreach (var member in _world.Living) Thaw(member);
        for (var place = 0; place < _world.Members.Count; place++) StartWhenGone(place);
        _administrator?.Conclude();
        Later(TimeSpan.FromSeconds(1), () => WriteSome(3));
        Later(TimeSpan.FromSeconds(4), () => WriteSome(3));
        Later(TimeSpan.FromSeconds(4), Delete);
    }

    /// <summary>A pause around this mean.</summary>
    private void Later(TimeSpan mean, Action act) => _world.Time.After(mean * (0.2 + (_random.NextDouble() * 1.6)), act);

    private void Write()
    {
        if (_isOver) return;

        WriteSome(_random.Next(1, 4));
        Later(_world.Shape.WriteEvery, Write);
    }

    private void WriteSome(int count)
    {
        for (var i = 0; i < count; i++) _world.Write(_world.Written);
    }

    private void Command()
    {
        if (_isOver) return;

        _administrator!.Act();
        _world.Delete(_world.Written, isWanted: null);
        Later(_world.Shape.FaultEvery / 2, Command);
    }

    /// <summary>All commands have been answered by now. But a program that does not hear its group yet has a configuration of its own.</summary>
    private void Delete()
    {
        if (_administrator is null) return;

        bool[] wants = [.. _world.Living.Select(static member => Administrator.WantsMore(member.Engine.Control.Config)).Distinct()];
        if (wants.Length > 0) _world.Delete(_world.Written, wants.Length == 1 ? wants[0] : null);
    }

    private void Fault()
    {
        if (_isOver) return;

        var at = _random.Next(_faults.Sum(static fault => fault.Weight));
        foreach (var (weight, act) in _faults)
        {
            if ((at -= weight) >= 0) continue;

            act();
            break;
        }

        Later(_world.Shape.FaultEvery, Fault);
    }

    private int AnyPlace() => _random.Next(_world.Members.Count);

    private Member? AnyMember() => _world.Members[AnyPlace()];

    /// <summary>Mostly short, sometimes long.</summary>
    private TimeSpan Long(double seconds) => TimeSpan.FromSeconds(seconds * Math.Pow(_random.NextDouble(), 3));

    private void KillMember() => _world.Kill(AnyPlace());

    private void StartMember() => _world.Start(AnyPlace());

    private void StopMember()
    {
        if (AnyMember() is not { IsEnding: false } member) return;

        _world.Tell($"{member.Name} is to end");
        member.Stop();
    }

    private void StartWhenGone(int place)
    {
        if (_world.Members[place] is not { } member) _world.Start(place);
        else if (member.IsEnding) _world.Time.After(TimeSpan.FromMilliseconds(100), () => StartWhenGone(place));
    }

    private void FreezeMember()
    {
        if (AnyMember() is not { Clock.IsFrozen: false } member) return;

        var time = Long(15);
        _world.Tell($"{member.Name} is frozen for {time.TotalSeconds:0.000} s");
        member.Clock.IsFrozen = true;
        _world.Time.After(time, () => Thaw(member));
    }

    private void Thaw(Member member)
    {
        if (!member.Clock.IsFrozen || member.IsDead) return;

        _world.Tell($"{member.Name} goes on");
        member.Clock.IsFrozen = false;
        _world.Network.Resume();
    }

    private void CutFromNode() => Cut(Node.Name);

    private void CutFromBroker() => Cut("b1");

    private void Cut(string server)
    {
        if (AnyMember() is not { } member || _world.Network.IsCut(member.Name, server)) return;

        var time = Long(12);
        _world.Tell($"{member.Name} is cut from {server} for {time.TotalSeconds:0.000} s");
        _world.Network.Cut(member.Name, server);
        _world.Time.After(time, () => _world.Network.Mend(member.Name, server));
    }

    private void SlowMember()
    {
        if (AnyMember() is not { } member) return;

        _world.Tell($"{member.Name} is slow");
        _world.Network.Slow(member.Name, Long(0.3));
        Later(TimeSpan.FromSeconds(3), () => _world.Network.Slow(member.Name, TimeSpan.Zero));
    }

    private void KillNode()
    {
        if (Node is not { IsUp: true } node) return;

        var time = Long(5);
        _world.Tell($"{node.Name} is killed for {time.TotalSeconds:0.000} s");
        node.Kill();
        _world.Promise.Died(node);
        _world.Time.After(time, () =>
        {
            if (!node.IsUp) node.Start();
        });
        if (_world.Sentinel is not null) Later(TimeSpan.FromSeconds(1.5), () => ReplaceIfDown(node));
    }

    private void FreezeNode() => Put(NodeMood.Frozen, Long(8));

    private void BusyNode() => Put(NodeMood.Busy, Long(6));

    private void Put(NodeMood mood, TimeSpan time)
    {
        var node = Node;
        _world.Tell($"{node.Name} is {mood} for {time.TotalSeconds:0.000} s");
        node.SetMood(mood);
        _world.Time.After(time, () => node.SetMood(NodeMood.Well));
    }

    private void KillSubscribers()
    {
        var node = Node;
        _world.Tell($"CLIENT KILL TYPE pubsub at {node.Name}");
        node.Handle(() => KillSubscribers(node));
    }

    private void KillSubscribers(VirtualNode node)
    {
        foreach (var client in node.Clients.Where(static client => client.IsSubscriber).ToList())
        {
            node.Close(client, isReset: _random.Next(2) == 0);
        }
    }

    /// <summary>An administrator lets the replica take over, while the master is well.</summary>
    private void FailOver()
    {
        var old = _world.Master;
        if (old is not { IsUp: true, Mood: NodeMood.Well } || Successor() is not { } next) return;

        Promote(next);
        Later(TimeSpan.FromMilliseconds(200), () =>
        {
            var kills = _random.Next(2) == 0;
            old.Handle(() =>
            {
                _world.Demote(old);
                if (kills) KillSubscribers(old);
            });
        });
    }

    /// <summary>The Sentinels let the replica take over, as the master does not answer.</summary>
    private void ReplaceIfDown(VirtualNode node)
    {
        if (_isOver || node.IsUp || node != _world.Master || Successor() is not { } next) return;

        Promote(next);
        DemoteWhenUp(node);
    }

    private void DemoteWhenUp(VirtualNode old) => Later(TimeSpan.FromMilliseconds(500), () =>
    {
        if (old.IsUp) old.Handle(() => _world.Demote(old));
        else DemoteWhenUp(old);
    });

    private VirtualNode? Successor() => _world.Nodes.FirstOrDefault(node => node is { Master: not null, IsUp: true, Mood: NodeMood.Well });

    private void Promote(VirtualNode next)
    {
        _world.Promote(next);
        if (_random.Next(2) == 0) KillSubscribers(next);
    }

    private void TakeFlags()
    {
        var node = Node;
        _world.Tell($"somebody takes the flags of {node.Name} away");
        node.Handle(() =>
        {
            if (node.Mood != NodeMood.Busy) node.SetFlags("");
        });
    }

    private void KillBroker()
    {
        if (Broker is not { IsUp: true } broker) return;

        var time = Long(15);
        _world.Tell($"the broker is killed for {time.TotalSeconds:0.000} s");
        broker.Kill();
        _world.Time.After(time, () =>
        {
            if (!broker.IsUp) broker.Start(BrokerMood.Well);
        });
    }

    private void CloseBroker()
    {
        _world.Tell("the broker closes all connections");
        Broker.CloseAll();
    }

    private void FreezeBroker() => Put(BrokerMood.Frozen, Long(15));

    private void BlockBroker() => Put(BrokerMood.Blocked, Long(8));

    private void RefuseAtBroker() => Put(BrokerMood.Refusing, Long(5));

    /// <summary>Only a restart takes its queues: what comes back later on a link is dropped and counted.</summary>
    private void UnbindQueue()
    {
        var broker = Broker;
        _world.Tell("the broker starts anew, without its queue");
        broker.Kill();
        broker.Start(BrokerMood.WithoutQueue);
        _world.Time.After(Long(5), () => broker.SetMood(BrokerMood.Well));
    }

    private void Put(BrokerMood mood, TimeSpan time)
    {
        if (Broker is not { IsUp: true } broker) return;

        _world.Tell($"the broker is {mood} for {time.TotalSeconds:0.000} s");
        broker.SetMood(mood);
        _world.Time.After(time, () =>
        {
            if (broker.IsUp) broker.SetMood(BrokerMood.Well);
        });
    }

    private void Burst() => WriteSome(_random.Next(20, 300));
}
