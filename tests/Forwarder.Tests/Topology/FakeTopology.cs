using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Nodes as the test says.</summary>
internal sealed class FakeTopology(UpstreamShape shape, params TopologyNode[] nodes) : ITopology
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TopologySnapshot Current { get; private set; } = new(shape, 1, nodes);

    public Task Changed => _changed.Task;

    public List<string> Hints { get; } = [];

    /// <summary>Of the changes to come.</summary>
    public ClockReading ChangedAfter { get; set; }

    /// <summary>What a look after a hint finds.</summary>
    public Action? OnHint { get; set; }

    public void Hint(string reason)
    {
        lock (Hints) Hints.Add(reason);
        OnHint?.Invoke();
    }

    public void Change(params TopologyNode[] nodes)
    {
        Current = new TopologySnapshot(Current.Shape, Current.Version + 1, nodes) { ChangedAfter = ChangedAfter };
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    public static TopologyNode Node(string id, int port, NodeRole role = NodeRole.Master, string host = "127.0.0.1", bool failing = false) => new()
    {
        Id = id,
        Address = new RedisAddress { Host = host, Port = port },
        Role = role,
        IsFailing = failing,
        Slots = role == NodeRole.Master ? [new SlotRange(0, 10)] : [],
    };
}
