using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// A piece of memory that the kernel reads into and writes from, and which of its bytes count. It has exactly one owner at a time: the pool, a
/// reader, or a writer; it moves between them, and is never shared. Pinned for life, so that a call into the kernel pins nothing.
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

    /// <summary>First byte that counts.</summary>
    public int Start { get; set; }

    /// <summary>Behind the last byte that counts; what follows was never anybody's to see.</summary>
    public int End { get; set; }

    public int Length => End - Start;

    public int Room => _array.Length - End;

    /// <summary>In a writer's queue: what is sent after this one.</summary>
    public Block? Behind { get; set; }

    /// <summary>In a reader's buffer: what was received after this one.</summary>
    public Block? Following => Unsafe.As<Block?>(Next);

    /// <summary>In the pool: nobody's.</summary>
    public bool IsPooled { get; set; }

    public Memory<byte> Free => _array.AsMemory(End);

    public ReadOnlySpan<byte> Bytes => _array.AsSpan(Start, End - Start);

    /// <summary>The same, of a block that stands alone.</summary>
    public ReadOnlySequence<byte> Sequence => new(this, Start, this, End);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_array.AsSpan(End));
        End += bytes.Length;
    }

    /// <summary>Received after this one; this one gets no more bytes.</summary>
    public void Follow(Block next)
    {
        Memory = _array.AsMemory(0, End);
        next.RunningIndex = RunningIndex + End;
        Next = next;
    }

    /// <summary>Takes it out of a reader's buffer; its bytes stay.</summary>
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
