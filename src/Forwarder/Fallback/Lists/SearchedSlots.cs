using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Topology;

namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>In which slots of a cluster have lists of earlier runs been looked for?</summary>
/// <remarks>Used by a search, one at a time, and by the delivery loop between two. <see cref="IsComplete"/> may be read at any time.</remarks>
/// <param name="isOurs">Whether the lists of a master are this program's.</param>
internal sealed class SearchedSlots(ITopology topology, Func<TopologyNode, bool> isOurs)
{
    private readonly bool[] _isSearched = new bool[SlotTag.Slots];

    /// <summary>Written by a search, which runs on the thread pool; read by the delivery loop.</summary>
    private volatile bool _isComplete;
    private int _lastHeld; // whose lists were this program's at the last look
    private TopologySnapshot? _lastSeen;

    public bool IsComplete { get => _isComplete; set => _isComplete = value; }

    /// <summary>The slots that are to be searched, by the master that serves them.</summary>
    public IReadOnlyList<IGrouping<TopologyNode?, int>> Due =>
        [.. Enumerable.Range(0, SlotTag.Slots).Where(slot => !_isSearched[slot]).GroupBy(topology.Current.MasterOf).Where(slots => slots.Key is { } node && isOurs(node))];

    public void Searched(int[] slots)
    {
        foreach (var slot in slots) _isSearched[slot] = true;
    }

    /// <summary>As if nothing had been searched yet.</summary>
    public void Forget()
    {
        _isComplete = false;
        Array.Clear(_isSearched);
    }

    /// <summary>See <see cref="IEventStoreSelector.HasNews"/>.</summary>
    public bool HasNews()
    {
        var (now, held) = (topology.Current, 0);
        foreach (var node in now.Nodes) held = HashCode.Combine(held, isOurs(node) ? node.Id : "");
        if (held == _lastHeld && ReferenceEquals(now, _lastSeen)) return false;

        var hasOthers = held != _lastHeld;
        (_lastHeld, _lastSeen) = (held, now);
        ForgetLost(now);
        return hasOthers || !_isComplete;
    }

    /// <summary>What was found in a slot that belongs to another member from now on may be gone when it comes back.</summary>
    private void ForgetLost(TopologySnapshot now)
    {
        var ours = new bool[SlotTag.Slots];
        foreach (var range in now.Masters.Where(isOurs).SelectMany(static node => node.Slots))
        {
            Array.Fill(ours, true, range.First, range.Count);
        }

        _isComplete = true;
        for (var slot = 0; slot < SlotTag.Slots; slot++)
        {
            _isSearched[slot] &= ours[slot];
            _isComplete &= _isSearched[slot] || !ours[slot];
        }
    }
}
