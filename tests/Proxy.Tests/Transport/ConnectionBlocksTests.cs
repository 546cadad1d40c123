using KeyEvt.Proxy.Transport.Sockets;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>Can a block that is still being written ever become another connection's?</summary>
public sealed class ConnectionBlocksTests
{
    [Fact]
    public void The_block_rented_last_stays_with_its_connection()
    {
        var mine = new ConnectionBlocks();
        var block = mine.Rent(4096);
        var memory = block.Memory;
        block.Dispose();
        var others = Enumerable.Range(0, 100).Select(_ => new ConnectionBlocks().Rent(4096)).ToList();
        Assert.DoesNotContain(others, other => other.Memory.Span.Overlaps(memory.Span));
        Assert.True(mine.Rent(4096).Memory.Span.Overlaps(memory.Span));
    }

    [Fact]
    public void A_larger_rent_gets_a_larger_block()
    {
        var mine = new ConnectionBlocks();
        mine.Rent(4096).Dispose();
        Assert.True(mine.Rent(10_000).Memory.Length >= 10_000);
    }
}
