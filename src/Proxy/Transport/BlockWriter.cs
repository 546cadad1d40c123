using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>An output that sends blocks, and takes over the blocks of a reader without copying. See <see cref="BlockReader"/>.</summary>
internal abstract class BlockWriter : PipeWriter
{
    /// <summary>The loop that its blocks belong to.</summary>
    public abstract object Owner { get; }

    /// <summary>Copies the bytes into its blocks. The caller need not ask for memory piece by piece.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Takes over everything in a reader's last result, and advances the reader behind it. Copies if the reader and this writer have different owners.
    /// </summary>
    /// <param name="buffer">The buffer of that result.</param>
    public abstract void TakeFrom(BlockReader reader, in ReadOnlySequence<byte> buffer);

    /// <summary>Takes over a block with the same owner, and flushes. False: the flush would have to wait, or the peer takes no more bytes.</summary>
    public abstract bool TakeAndFlush(Block block);
}
