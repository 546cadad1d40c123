namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// The blocks of one loop that are nobody's now; used by its thread alone. What was given back last is taken first: it is still in the processor's
/// cache. Connections hold blocks only while bytes are in them, so an idle connection costs none.
/// </summary>
internal sealed class BlockPool
{
    /// <summary>One receive takes at most so much. Measured, see bench/RESULTS.md.</summary>
    public const int BlockBytes = 64 * 1024;

    /// <summary>For the beginning of a request whose rest is not there: many clients may leave it at that.</summary>
    public const int SmallBytes = 1024;

    /// <summary>What is kept of either size; more goes to the garbage collector.</summary>
    private const int KeptBlocks = 256;

    private readonly Stack<Block> _blocks = new(KeptBlocks);
    private readonly Stack<Block> _small = new(KeptBlocks);

    public Block Rent(int atLeast = 0) => atLeast > BlockBytes ? new Block(atLeast) : Rent(_blocks, BlockBytes);

    public Block RentSmall() => Rent(_small, SmallBytes);

    /// <exception cref="InvalidOperationException">It was given back before: two owners would write into it.</exception>
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
