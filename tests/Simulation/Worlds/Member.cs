using System.Diagnostics.Metrics;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Simulation.Broker;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Net;
using KeyEvt.Simulation.Redis;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>One life of one program: the engine itself, with a clock of its own, and the world in place of the sockets.</summary>
internal sealed class Member : IMeterFactory
{
    private static readonly TlsClient NoTls = TlsClient.OfSystem("--upstream");

    private readonly World _world;
    private readonly List<Meter> _meters = [];

    public Member(World world, string name, int life)
    {
        (_world, Name) = (world, name);
        Clock = new MemberClock(world.Time, world.Shape.WallError(name));
        var random = new Random(world.Random.Next());
        var transport = new VirtualTransport(name, Clock, world.Network, world.ServerAt);
        var around = new EngineSurroundings(transport, new BrokerSeat(name, Clock, world.Network, world.BrokerAt, world.Connected), OpenListAsync);
        ILoggerFactory loggers = new StoryLogger(world, $"{name}.{life}", line => world.Promise.Confirmed(this, line));
        Engine = new ForwarderEngine(world.Shape.OptionsOf(name, random), NoTls, NoTls, this, Clock, loggers, around);
        Engine.Gaps.Closed += gap => world.Declared(this, gap);
        Engine.Gaps.Closed += gap => world.Tell($"{name} declares a gap: {gap.Cause} {gap.From:HH:mm:ss.ffff} to {gap.To:HH:mm:ss.ffff}: {gap.Detail}");
        Engine.Start();
    }

    public string Name { get; }

    public MemberClock Clock { get; }

    public ForwarderEngine Engine { get; }

    /// <summary>When it first subscribed to events, and has read that it has: what it misses from then on it can tell by itself.</summary>
    public long? KnowsSince { get; set; }

    /// <summary>Whether it has been told to end.</summary>
    public bool IsEnding { get; private set; }

    public bool IsDead => Clock.IsDead;

    /// <summary>SIGKILL: nothing of it runs any more, and the system closes its connections.</summary>
    public void Kill()
    {
        Clock.IsDead = true;
        foreach (var node in _world.Nodes) node.Abandon(Name);
        foreach (var broker in _world.Brokers) broker.Abandon(Name);
        End();
    }

    /// <summary>SIGTERM: it settles what it can, and then ends.</summary>
    public void Stop()
    {
        IsEnding = true;
        _ = StopAsync();
    }

    /// <summary>What is never right.</summary>
    /// <returns>Null if all is well.</returns>
    public string? Fault()
    {
        if (Engine.Completion.Exception is { } fault) return $"a loop of {Name} has ended: {fault.GetBaseException()}";

        return Engine.Ledger.Snapshot() is { Difference: not 0 } ledger ? $"the ledger of {Name} does not add up: {ledger}" : null;
    }

    public bool IsSettled => Engine.Ledger.Snapshot() is { WaitingMemory: 0, WaitingFallback: 0 };

    /// <summary>What it has given up for a reason, as it says itself.</summary>
    public long Dropped(params ReadOnlySpan<DropReason> reasons)
    {
        var sum = 0L;
        foreach (var reason in reasons) sum += Engine.Ledger.Dropped(reason);
        return sum;
    }

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => End();

    private void End()
    {
        foreach (var meter in _meters) meter.Dispose();
        _meters.Clear();
    }

    private async Task StopAsync()
    {
        var lost = await Engine.StopAsync(TimeSpan.FromSeconds(8)).ConfigureAwait(false);
        await Engine.DisposeAsync().ConfigureAwait(false);
        if (IsDead) return;

        _world.Tell($"{Name} has ended, {lost} left behind");
        if (lost > 0) _world.LeftBehind(this);
        _world.Ended(this);
    }

    private Task<IConnectionMultiplexer> OpenListAsync(ConfigurationOptions options)
    {
        var host = ((System.Net.DnsEndPoint)options.EndPoints[0]).Host;
        var (up, down) = (_world.Network.Up(Name, host), _world.Network.Down(Name, host, Clock));
        var opened = new TaskCompletionSource<IConnectionMultiplexer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var multiplexer = VirtualMultiplexer.To(new ListConnection(_world.NodeAt(host)!, _world.Time, up, down));
        down.Put(() => opened.TrySetResult(multiplexer));
        return opened.Task;
    }
}
