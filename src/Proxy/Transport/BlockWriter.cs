using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>An output that sends blocks, and takes over those of a reader without copying them. See <see cref="BlockReader"/>.</summary>
internal abstract class BlockWriter : PipeWriter
{
    /// <summary>The loop that its blocks belong to.</summary>
    public abstract object Owner { get; }

    /// <summary>Copies the bytes, without asking for each piece of memory.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Takes over all that a reader's last result holds, and advances the reader behind it. It copies when the two have different owners.</summary>
    /// <param name="buffer">That result.</param>
    public abstract void TakeFrom(BlockReader reader, in ReadOnlySequence<byte> buffer);

    /// <summary>Takes over a block of the same owner, and flushes. False: the flush would have to wait, or nothing more is taken.</summary>
    public abstract bool TakeAndFlush(Block block);
}
