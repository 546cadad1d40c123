using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// An input that receives into blocks, which can change hands whole. <see cref="ZeroCopyForwarder"/> and <see cref="BlockWriter"/> work with this type, so that
/// sessions need not know which transport they are on. An abstract class, since an interface call has to look up the method.
/// </summary>
internal abstract class BlockReader : PipeReader
{
    /// <summary>The loop that its blocks belong to. They may only be given to a writer with the same owner.</summary>
    public abstract object Owner { get; }

    /// <summary>A read whose bytes are offered to the forwarder first. It returns only what the forwarder does not take.</summary>
    public abstract ValueTask<ReadResult> ReadAsync(ZeroCopyForwarder forwarder);
}
