namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// The blocks of one loop that nobody uses at the moment. Used by the loop's thread alone. The block that was given back last is taken first, as it is still in
/// the processor's cache. Connections hold blocks only while bytes are in them, so an idle connection holds none: <see cref="ReceivedBlocks"/> and <see cref="SendQueue"/> give
/// them back.
/// </summary>
internal sealed class BlockPool
{
    /// <summary>The size of a block, and so the most that one receive takes. Measured, see bench/RESULTS.md.</summary>
    public const int BlockBytes = 64 * 1024;

    /// <summary>The size of a small block. It holds the beginning of a request whose rest has not come, since many clients may stop there for long.</summary>
    public const int SmallBytes = 1024;

    /// <summary>How many blocks of each size are kept. Any more go to the garbage collector.</summary>
    private const int KeptBlocks = 256;

    private readonly Stack<Block> _blocks = new(KeptBlocks);
    private readonly Stack<Block> _small = new(KeptBlocks);

    public Block Rent(int atLeast = 0) => atLeast > BlockBytes ? new Block(atLeast) : Rent(_blocks, BlockBytes);

    public Block RentSmall() => Rent(_small, SmallBytes);

    /// <exception cref="InvalidOperationException">The block was given back before, and two owners would write into it.</exception>
    public void Return(Block block)
    {
        if (block.IsPooled) throw new InvalidOperationException("a block was given back twice");
        var stack = block.Capacity switch { BlockBytes => _blocks, SmallBytes => _small, _ => null };
        if (stack is null || stack.Count == KeptBlocks) return;
        block.Clear();
        block.IsPooled = true;
        stack.Push(block);
    }

    private static Block Rent(Stack<Block> stack, int bytes)
    {
        if (!stack.TryPop(out var block)) return new Block(bytes);
        block.IsPooled = false;
        return block;
    }
}
