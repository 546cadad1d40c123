using System.Buffers;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// What another thread than the loop's has written and not flushed yet: in memory of its own, as the loop's blocks are the loop's alone. Flushing
/// hands it over; until then the loop does not look at it.
/// </summary>
internal sealed class ForeignBytes : IBufferWriter<byte>
{
    private readonly ArrayBufferWriter<byte> _written = new();

    public int Length => _written.WrittenCount;

    public ReadOnlySpan<byte> Bytes => _written.WrittenSpan;

    public void Advance(int count) => _written.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0) => _written.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => _written.GetSpan(sizeHint);
}
