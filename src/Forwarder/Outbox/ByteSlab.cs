using System.Buffers;

namespace KeyEvt.Forwarder.Outbox;

/// <summary>
/// Where are the bytes of queued events? In blocks that are filled front to back. A block is used again when its last entry is settled, so an event costs no allocation.
/// </summary>
/// <remarks>
/// Up to <see cref="MaxSpare"/> empty blocks are kept. The shared pool keeps too few of this size, and each burst would allocate anew. Not thread safe: its owner, an
/// <see cref="EventLog"/>, calls it under its lock.
/// </remarks>
internal sealed class ByteSlab(int blockSize = 64 * 1024)
{
    private const int MaxSpare = 256; // 16 MiB

    private readonly Stack<Block> _spare = new();
    private Block? _current;

    /// <summary>Room for <paramref name="length"/> bytes; the block stays until <see cref="Release"/> has been called once for it.</summary>
    public Memory<byte> Take(int length, out Block block)
    {
        if (length > blockSize / 4)
        {
            // A large event has a block of its own: in a shared one, a single unsettled neighbour would keep all of its bytes in memory.
            block = new Block(ArrayPool<byte>.Shared.Rent(length)) { Users = 1, Used = length, IsLarge = true };
            return block.Bytes.AsMemory(0, length);
        }

        if (_current is null || _current.Bytes.Length - _current.Used < length)
        {
            // The block that was filled until now has a user: without one it would be empty, with room for this event. Its last user releases it.
            _current = _spare.TryPop(out var spare) ? spare : new Block(ArrayPool<byte>.Shared.Rent(blockSize));
        }

        block = _current;
        var memory = block.Bytes.AsMemory(block.Used, length);
        block.Used += length;
        block.Users++;
        return memory;
    }

    public void Release(Block block)
    {
        if (--block.Users > 0) return;

        if (ReferenceEquals(block, _current)) block.Used = 0; // the common case, a log that has run empty: fill the same block again
        else Keep(block);
    }

    private void Keep(Block block)
    {
        if (block.IsLarge || _spare.Count == MaxSpare)
        {
            ArrayPool<byte>.Shared.Return(block.Bytes);
            return;
        }

        block.Used = 0;
        _spare.Push(block);
    }

    internal sealed class Block(byte[] bytes)
    {
        public readonly byte[] Bytes = bytes;
        public int Used;
        public int Users;
        public bool IsLarge;
    }
}
