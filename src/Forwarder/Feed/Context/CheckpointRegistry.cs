using System.Collections.Concurrent;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Under which keys are the states of the nodes' streams stored, and which of these keys has this run of the program read?</summary>
/// <remarks>
/// Shared by all feeds of a program. A master and the replica that succeeds it have one state, and what an earlier run left of it is declared once.
/// </remarks>
/// <param name="name">The key; in a cluster without its hash tag.</param>
/// <param name="writer">The name of this program.</param>
internal sealed class CheckpointRegistry(string name, string writer)
{
    private readonly ConcurrentDictionary<string, Place> _places = new();

    /// <summary>Guards <see cref="_newest"/>.</summary>
    private readonly Lock _gate = new();
    private Checkpoint? _newest;

    /// <summary>Changed with Interlocked by any feed's tasks; read with Volatile.Read.</summary>
    private int _doubts;

    public string Writer => writer;

    /// <summary>When this run of the program began: what was kept before is of an earlier one.</summary>
    public DateTimeOffset Begun { get; init; } = DateTimeOffset.MaxValue;

    /// <param name="tag">In a cluster, the hash tag of a slot that the node serves; else null.</param>
    public Place At(string? tag) => _places.GetOrAdd(tag is null ? name : $"{name}{{{tag}}}", static key => new Place(key));

    /// <summary>
    /// How many feeds are finding out which node some events belong to. A state stored meanwhile, of any node, would claim that these events were handled.
    /// </summary>
    public int Doubts => Volatile.Read(ref _doubts);

    /// <summary>
    /// Whether a gap of any node is open, or may turn out to be one: asked where all nodes have one key, as those behind Sentinel. The state of the new master would hide the gap of the
    /// old one, if the program ends before that gap does.
    /// </summary>
    public Func<bool> AreNodesInDoubt { get; set; } = static () => false;

    /// <summary>Whether nothing is to be stored now.</summary>
    public bool IsInDoubt => Doubts > 0 || AreNodesInDoubt();

    public void BeginDoubt() => Interlocked.Increment(ref _doubts);

    public void EndDoubt() => Interlocked.Decrement(ref _doubts);

    /// <summary>The newest state of an earlier run, under any key; null if none was found so far.</summary>
    public Checkpoint? Newest
    {
        get
        {
            lock (_gate) return _newest;
        }
    }

    public void Found(Checkpoint kept)
    {
        if (kept.At >= Begun) return;

        lock (_gate)
        {
            if (_newest is null || kept.At > _newest.At) _newest = kept;
        }
    }

    /// <summary>One key. Used only by the read loop of the master's feed.</summary>
    internal sealed class Place(string key)
    {
        public string Key => key;

        /// <summary>
        /// Whether nothing was stored here, although the node was there when this run began. If other nodes' states prove that there was an earlier
        /// run, it missed this node as well.
        /// </summary>
        public bool IsOwed { get; set; }

        /// <summary>The run ids of the masters of whose streams this program knows all that is not settled.</summary>
        private readonly ConcurrentDictionary<ulong, bool> _known = new();

        /// <summary>By run id: the last state that was declared.</summary>
        private readonly ConcurrentDictionary<ulong, EventPosition> _declared = new();

        /// <summary>Whether this program has never known the stream of a master, nor declared what it missed there.</summary>
        public bool KnowsNothing { get; private set; } = true;

        /// <summary>Whether what is kept of the stream with this run id tells nothing that this program does not know by itself.</summary>
        public bool Knows(ulong run) => _known.ContainsKey(run);

        public void Know(ulong run, bool isAll)
        {
            KnowsNothing = false;
            if (isAll) _known[run] = true;
            else _known.TryRemove(run, out _);
        }

        /// <summary>Whether everything since this state lies in a gap that is declared.</summary>
        public bool IsDeclared(EventPosition kept) => _declared.TryGetValue(kept.RunId, out var last) && (kept.Marker, kept.Count).CompareTo((last.Marker, last.Count)) <= 0;

        public void Declared(EventPosition kept)
        {
            KnowsNothing = false;
            _declared[kept.RunId] = kept;
        }

        /// <summary>Timestamp of the last write; 0 if there was none.</summary>
        public long WrittenAt { get; set; }
    }
}
