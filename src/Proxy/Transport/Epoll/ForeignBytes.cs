using System.Buffers;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Bytes that another thread than the loop's has written and not flushed yet. They lie in memory of their own, since only the loop may use the loop's blocks. A
/// flush hands them to the loop; until then the loop does not look at them.
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
