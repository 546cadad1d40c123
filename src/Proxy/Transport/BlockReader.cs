using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// An input that receives into blocks, which can change hands whole. It is what <see cref="ZeroCopyForwarder"/> and <see cref="BlockWriter"/> work with, so that sessions need not
/// know which transport they are on. A class, as calling an interface costs a search.
/// </summary>
internal abstract class BlockReader : PipeReader
{
    /// <summary>The loop that its blocks belong to: they may only be given to a writer of the same one.</summary>
    public abstract object Owner { get; }

    /// <summary>A read whose bytes are offered to the forwarder first. It returns what the forwarder does not take.</summary>
    public abstract ValueTask<ReadResult> ReadAsync(ZeroCopyForwarder forwarder);
}
