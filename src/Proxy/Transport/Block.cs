using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// A piece of memory that the kernel reads into and writes from, with the range of its bytes that are in use. At any time it has exactly one owner: the pool, a
/// reader or a writer. Ownership moves between them and is never shared. The memory is pinned as long as it exists, so calls into the kernel need not pin it.
/// </summary>
internal sealed unsafe class Block : ReadOnlySequenceSegment<byte>
{
    private readonly byte[] _array;

    public Block(int bytes)
    {
        _array = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        Pointer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        Memory = _array;
    }

    public byte* Pointer { get; }

    public int Capacity => _array.Length;

    /// <summary>Index of the first byte in use.</summary>
    public int Start { get; set; }

    /// <summary>Index behind the last byte in use. What follows was not received or written here, and must not be read.</summary>
    public int End { get; set; }

    public int Length => End - Start;

    public int Room => _array.Length - End;

    /// <summary>In a writer's queue: the block that is sent after this one.</summary>
    public Block? Behind { get; set; }

    /// <summary>In a reader's buffer: the block that was received after this one.</summary>
    public Block? Following => Unsafe.As<Block?>(Next);

    /// <summary>The block is in the pool and has no other owner.</summary>
    public bool IsPooled { get; set; }

    public Memory<byte> Free => _array.AsMemory(End);

    public ReadOnlySpan<byte> Bytes => _array.AsSpan(Start, End - Start);

    /// <summary>The same bytes as a sequence. Only for a block that is linked to no other.</summary>
    public ReadOnlySequence<byte> Sequence => new(this, Start, this, End);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_array.AsSpan(End));
        End += bytes.Length;
    }

    /// <summary>Links a block that was received after this one. This one gets no more bytes from then on.</summary>
    public void Follow(Block next)
    {
        Memory = _array.AsMemory(0, End);
        next.RunningIndex = RunningIndex + End;
        Next = next;
    }

    /// <summary>Takes the block out of a reader's buffer. Its bytes stay.</summary>
    public void Unlink()
    {
        if (RunningIndex == 0 && Next is null) return;
        Memory = _array;
        RunningIndex = 0;
        Next = null;
    }

    public void Clear()
    {
        Unlink();
        Behind = null;
        Start = End = 0;
    }
}
