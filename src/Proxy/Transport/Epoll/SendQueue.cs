using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Which written bytes has the kernel not taken yet? A list of blocks in the order in which they are sent. Used on the loop's thread only.
/// <para>
/// A mutable struct inside its <see cref="EpollWriter"/>, not an object of its own: with hundreds of busy sessions each further object is a cache miss. Keep it
/// in a field that is not readonly.
/// </para>
/// </summary>
internal struct SendQueue(EpollLoop loop)
{
    /// <summary>How many blocks one system call can send. Blocks that are reasonably full hold more bytes than a writer may have unsent.</summary>
    private const int MaxVectors = 16;

    /// <summary>Blocks of at most this many bytes are copied behind others, if that saves a block.</summary>
    private const int CopiedBytes = 16 * 1024;

    private Block? _head;
    private Block? _tail;

    /// <summary>How many bytes are unsent.</summary>
    public long Bytes { get; private set; }

    /// <summary>The block to write into, with room for this many bytes.</summary>
    public Block Tail(int sizeHint)
    {
        if (_tail is null || _tail.Room < Math.Max(sizeHint, 1)) Enqueue(loop.Blocks.Rent(sizeHint));
        return _tail!;
    }

    /// <summary>Called when so many bytes have been written into <see cref="Tail"/>.</summary>
    public void Wrote(int bytes)
    {
        if (_tail is null || bytes > _tail.Room) throw new ArgumentOutOfRangeException(nameof(bytes));
        _tail.End += bytes;
        Bytes += bytes;
    }

    /// <summary>Copies these bytes to the end of the queue.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var tail = Tail(0);
            var part = bytes[..Math.Min(bytes.Length, tail.Room)];
            part.CopyTo(tail.Free.Span);
            Wrote(part.Length);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Adds the block, which belongs to this queue from here on.</summary>
    public void Take(Block block)
    {
        var bytes = block.Length;
        Bytes += bytes;
        if (_tail is not null && bytes <= CopiedBytes && bytes <= _tail.Room)
        {
            _tail.Append(block.Bytes);
            loop.Blocks.Return(block);
        }
        else
        {
            Enqueue(block);
        }
    }

    /// <summary>
    /// Offers everything to the kernel by one system call; the queue must not be empty. What the kernel took stays in the queue until <see cref="Sent"/>.
    /// </summary>
    /// <param name="sent">How many bytes the kernel took; -1 when the call failed, and the errno says why.</param>
    /// <returns>How many bytes were offered.</returns>
    public readonly unsafe long SendOnce(int fd, out long sent)
    {
        var head = _head!;
        if (head == _tail)
        {
            sent = Libc.Send(fd, head.Pointer + head.Start, (nuint)head.Length, Libc.NoSignal);
            return head.Length;
        }

        var vectors = stackalloc Libc.Vector[MaxVectors];
        var count = 0;
        long asked = 0;
        for (var block = head; block is not null && count < MaxVectors; block = block.Behind)
        {
            vectors[count++] = new Libc.Vector { Bytes = block.Pointer + block.Start, Length = (nuint)block.Length };
            asked += block.Length;
        }

        var message = new Libc.MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        sent = Libc.SendMessage(fd, &message, Libc.NoSignal);
        return asked;
    }

    /// <summary>Removes the first bytes, which the kernel has taken.</summary>
    public void Sent(long bytes)
    {
        Bytes -= bytes;
        while (_head is { } head)
        {
            var part = (int)Math.Min(bytes, head.Length);
            head.Start += part;
            bytes -= part;
            if (head.Length > 0) return;
            ReleaseHead();
        }
    }

    /// <summary>Gives back all blocks, with the bytes that are still in them.</summary>
    public void Drop()
    {
        while (_head is not null) ReleaseHead();
        Bytes = 0;
    }

    private void Enqueue(Block block)
    {
        if (_tail is null) _head = block;
        else _tail.Behind = block;
        _tail = block;
    }

    private void ReleaseHead()
    {
        var head = _head!;
        _head = head.Behind;
        if (_head is null) _tail = null;
        loop.Blocks.Return(head);
    }
}
