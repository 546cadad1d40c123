using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Outbox;

/// <summary>When is a block of bytes used again?</summary>
public sealed class ByteSlabTests
{
    private const int BlockSize = 1024;
    private readonly ByteSlab _slab = new(BlockSize);

    [Fact]
    public void Small_ones_share_a_block_and_lie_behind_each_other()
    {
        var first = Take(100, 1, out var block);
        var second = Take(100, 2, out var same);
        Assert.Same(block, same);
        Assert.All(first.ToArray(), b => Assert.Equal(1, b));
        Assert.All(second.ToArray(), b => Assert.Equal(2, b));
        Assert.Equal((2, 200), (block.Users, block.Used));
    }

    [Fact]
    public void A_large_one_has_a_block_of_its_own_and_that_is_not_used_again()
    {
        Take(BlockSize / 4, 1, out var shared);
        Take((BlockSize / 4) + 1, 2, out var large);
        Assert.NotSame(shared, large);
        Take(1, 3, out var next);
        Assert.Same(shared, next);
        _slab.Release(large);
        foreach (var block in TakeBlocks(3)) Assert.NotSame(large, block);
    }

    [Fact]
    public void A_block_is_used_again_once_all_in_it_are_released()
    {
        var blocks = TakeBlocks(3).ToList();
        Assert.Equal(3, blocks.Distinct().Count());
        for (var i = 0; i < 3; i++) _slab.Release(blocks[0]);
        Take(BlockSize / 4, 9, out var other);
        Assert.NotSame(blocks[0], other);
        _slab.Release(blocks[0]); // the last of four
        var again = TakeBlocks(2).ToList();
        Assert.Contains(blocks[0], again);
        Assert.All(again, block => Assert.Equal(0, block.Used % (BlockSize / 4))); // filled from the beginning
    }

    [Fact]
    public void As_many_empty_blocks_are_kept_as_make_16_MiB_of_the_usual_size()
    {
        var blocks = TakeBlocks(300).ToHashSet();
        foreach (var block in blocks)
        {
            for (var i = 0; i < 4; i++) _slab.Release(block);
        }

        Assert.Equal(256 + 1, TakeBlocks(300).Count(blocks.Contains)); // and the one in use
    }

    [Fact]
    public void The_block_in_use_is_filled_from_its_beginning_when_it_is_empty()
    {
        Take(100, 1, out var block);
        _slab.Release(block);
        Take(100, 2, out var same);
        Assert.Same(block, same);
        Assert.Equal(100, same.Used);
    }

    /// <summary>Fills so many blocks, with four each.</summary>
    private IEnumerable<ByteSlab.Block> TakeBlocks(int count)
    {
        for (var i = 0; i < count * 4; i++)
        {
            Take(BlockSize / 4, 5, out var block);
            if (i % 4 == 3) yield return block;
        }
    }

    private Memory<byte> Take(int length, byte filling, out ByteSlab.Block block)
    {
        var memory = _slab.Take(length, out block);
        Assert.Equal(length, memory.Length);
        memory.Span.Fill(filling);
        return memory;
    }
}
