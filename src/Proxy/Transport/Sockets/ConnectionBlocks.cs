using System.Buffers;

namespace KeyEvt.Proxy.Transport.Sockets;

/// <summary>
/// The memory of one connection's send pipe: the shared pool, but the block that was rented last is kept back.
/// <para>
/// Why not the shared pool itself: when sending fails, SocketConnection completes both ends of its send pipe on its own thread, and the pipe gives its blocks
/// back. Among them is the block that a pump may be copying into at that moment. From the shared pool, that block could already be another session's, and one
/// client's bytes would overwrite another's. The block that is being written is always the one that was rented last. It stays here until the next rent, which
/// only the writer itself makes.
/// </para>
/// </summary>
internal sealed class ConnectionBlocks : MemoryPool<byte>
{
    private const int BlockBytes = 4096;

    /// <summary>Both blocks are guarded by the lock on this object.</summary>
    private Block? _spare;
    private Block? _last;

    public override int MaxBufferSize => Shared.MaxBufferSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        lock (this)
        {
            var spare = _spare;
            _spare = null;
            if (spare is not null && spare.Memory.Length < minBufferSize)
            {
                spare.Release();
                spare = null;
            }

            return _last = spare ?? new Block(this, Math.Max(minBufferSize, BlockBytes));
        }
    }

    /// <summary>
    /// The spare block goes to the garbage collector. It must not go back to the shared pool, where somebody else could get it while it is still written to.
    /// </summary>
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        lock (this)
        {
            if (block == _last) _spare = block;
            else block.Release();
        }
    }

    private sealed class Block(ConnectionBlocks owner, int bytes) : IMemoryOwner<byte>
    {
        private readonly byte[] _array = ArrayPool<byte>.Shared.Rent(bytes);

        public Memory<byte> Memory => _array;

        public void Dispose() => owner.Return(this);

        public void Release() => ArrayPool<byte>.Shared.Return(_array);
    }
}
