using System.Collections.Concurrent;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Under which keys is the state of the nodes' streams kept, and which of them has this life of the program seen to?</summary>
/// <remarks>
/// Shared by all feeds of a program: of a master and of the replica that takes its place there is one state, and what an earlier life left of it is
/// declared once.
/// </remarks>
/// <param name="name">The key; in a cluster without its tag.</param>
/// <param name="writer">Names this program.</param>
internal sealed class CheckpointRegistry(string name, string writer)
{
    private readonly ConcurrentDictionary<string, Place> _places = new();
    private readonly Lock _gate = new();
    private Checkpoint? _newest;
    private int _doubts;

    public string Writer => writer;

    /// <param name="tag">In a cluster: of a slot that the node serves.</param>
    public Place At(string? tag) => _places.GetOrAdd(tag is null ? name : $"{name}{{{tag}}}", static key => new Place(key));

    /// <summary>So many times it is being found out whose some events are. What is kept meanwhile, of whichever node, would pass over them.</summary>
    public int Doubts => Volatile.Read(ref _doubts);

    public void BeginDoubt() => Interlocked.Increment(ref _doubts);

    public void EndDoubt() => Interlocked.Decrement(ref _doubts);

    /// <summary>What an earlier life kept last, under whichever key; null: nothing was found so far.</summary>
    public Checkpoint? Newest
    {
        get
        {
            lock (_gate) return _newest;
        }
    }

    public void Found(Checkpoint kept)
    {
        lock (_gate)
        {
            if (_newest is null || kept.At > _newest.At) _newest = kept;
        }
    }

    /// <summary>One key. Used by the read loop of the feed that is the master's.</summary>
    internal sealed class Place(string key)
    {
        public string Key => key;

        /// <summary>What an earlier life left here has been read, and declared.</summary>
        public bool IsRead { get; set; }

        /// <summary>Nothing was there, of a node that was there when this life began. If other nodes' states tell that there was an earlier life, it has missed this one as well.</summary>
        public bool IsOwed { get; set; }

        /// <summary>When it was written last, a timestamp; 0: never.</summary>
        public long WrittenAt { get; set; }
    }
}
