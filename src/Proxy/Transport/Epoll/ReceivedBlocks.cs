using System.Buffers;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Which received bytes has the consumer not used up yet? A list of blocks, in the order in which they were received. It holds no block while nothing is
/// unread.
/// <para>
/// A mutable struct inside its <see cref="EpollReader"/>, not an object of its own: with hundreds of busy sessions each further object is a cache miss. Keep it
/// in a field that is not readonly.
/// </para>
/// </summary>
internal struct ReceivedBlocks(EpollLoop loop)
{
    /// <summary>When the last block has less room than this, the next receive gets a new block.</summary>
    private const int MinRoom = BlockPool.BlockBytes / 4;

    private Block? _head;
    private Block? _tail;

    /// <summary>The consumer has left bytes that it has not examined, so the next read returns at once.</summary>
    public bool HasUnexamined { get; private set; }

    public readonly bool IsEmpty => _head is null;

    /// <summary>The block that the next receive may add to; null when a new one is needed.</summary>
    public readonly Block? WithRoom => _tail is { Room: >= MinRoom } ? _tail : null;

    public readonly ReadOnlySequence<byte> Bytes => _head is null ? default : new ReadOnlySequence<byte>(_head, _head.Start, _tail!, _tail!.End);

    /// <summary>Takes over a block with bytes that were just received. Does nothing when the bytes were added to the last block.</summary>
    public void Append(Block block)
    {
        if (block == _tail) return;
        if (_tail is null) _head = block;
        else _tail.Follow(block);
        _tail = block;
    }

    /// <summary>
    /// Releases what the consumer has used up; see <see cref="System.IO.Pipelines.PipeReader.AdvanceTo(SequencePosition, SequencePosition)"/>.
    /// </summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_head is null || _tail is null) return;
        HasUnexamined = examined.GetObject() != _tail || examined.GetInteger() != _tail.End;
        var block = (Block)consumed.GetObject()!;
        while (_head != block) ReleaseHead();
        _head.Start = consumed.GetInteger();
        while (_head is { Length: 0 }) ReleaseHead();
    }

    /// <summary>Gives all blocks to the caller, who owns them from here on. Each block names the next one by <see cref="Block.Following"/>.</summary>
    public Block? TakeAll()
    {
        var head = _head;
        _head = _tail = null;
        HasUnexamined = false;
        return head;
    }

    /// <summary>
    /// Moves the bytes to a small block if they fit. The beginning of a request may stay here for long, and would otherwise keep a large block from others.
    /// </summary>
    public void Shrink()
    {
        if (_head is not { } head || head != _tail || head.Length > BlockPool.SmallBytes || head.Capacity <= BlockPool.SmallBytes) return;
        var small = loop.Blocks.RentSmall();
        small.Append(head.Bytes);
        loop.Blocks.Return(head);
        _head = _tail = small;
    }

    public void ReleaseAll()
    {
        while (_head is not null) ReleaseHead();
    }

    /// <summary>Runs on the consumer's thread. The pool belongs to the loop's thread, so on any other thread the block goes to the garbage collector.</summary>
    private void ReleaseHead()
    {
        var block = _head!;
        _head = block.Following;
        if (_head is null) _tail = null;
        if (loop.IsCurrent) loop.Blocks.Return(block);
    }
}
