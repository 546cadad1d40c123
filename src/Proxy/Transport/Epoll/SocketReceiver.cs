using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// What does the kernel have for this connection: bytes, nothing for now, the end, or an error? Used on the loop's thread only.
/// <para>A mutable struct inside its <see cref="EpollReader"/>, for the reason given at <see cref="ReceivedBlocks"/>. Keep it in a field that is not
/// readonly.</para>
/// </summary>
internal struct SocketReceiver(EpollConnection connection)
{
    /// <summary>How many receives one connection may make in one turn of the loop, so that all others get theirs.</summary>
    private const int ReceivesPerTurn = 16;

    private const int ConnectionReset = 104; // ECONNRESET

    private int _errno;
    private int _turn;
    private int _receives;

    /// <summary>FIN has been received, or this side has stopped receiving.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Neither the end nor an error has come.</summary>
    public readonly bool IsOpen => !HasEnded && _errno == 0;

    /// <summary>This side receives no more.</summary>
    public void End() => HasEnded = true;

    /// <summary>
    /// Receives once, into the given block or into a new one. Returns the block. Returns null when nothing is there; also when the end or an error has come,
    /// which is noted.
    /// </summary>
    /// <remarks>
    /// A receive that gets less than it had room for has emptied the socket, and epoll will report whatever comes later (epoll(7), question 9). So no second
    /// receive is made, which would only return EAGAIN.
    /// </remarks>
    /// <param name="into">Null: a new block is rented, and given back when nothing comes.</param>
    public unsafe Block? Receive(Block? into)
    {
        while (connection.IsReadable && MayReceive())
        {
            var block = into ?? connection.Loop.Blocks.Rent();
            var room = block.Room;
            var count = (int)Libc.Receive(connection.Fd, block.Pointer + block.End, (nuint)room, 0);
            if (count > 0)
            {
                block.End += count;
                connection.IsReadable = count == room || connection.IsHungUp;
                return block;
            }

            var errno = count == 0 ? 0 : Marshal.GetLastSystemError();
            if (block != into) connection.Loop.Blocks.Return(block);
            if (errno == Errno.Interrupted) continue;
            if (errno == Errno.Again)
            {
                connection.IsReadable = false;
                return null;
            }

            _errno = errno != 0 ? errno : connection.IsReset ? ConnectionReset : 0;
            HasEnded = _errno == 0;
            return null;
        }

        return null;
    }

    /// <summary>
    /// Receives and drops what is there. A socket that is closed with unread bytes resets the connection, and the peer could lose what was sent to it last.
    /// </summary>
    public readonly unsafe void Discard()
    {
        var block = connection.IsReadable ? connection.Loop.Blocks.Rent() : null;
        if (block is null) return;
        for (var i = 0; i < ReceivesPerTurn && Libc.Receive(connection.Fd, block.Pointer, (nuint)block.Capacity, 0) > 0; i++)
        {
            // If a peer sends without end, the connection is reset all the same.
        }

        connection.Loop.Blocks.Return(block);
    }

    /// <exception cref="IOException">The connection has broken.</exception>
    public readonly void ThrowIfBroken()
    {
        if (_errno != 0) ThrowBroken(_errno);
    }

    private bool MayReceive()
    {
        if (_turn != connection.Loop.TurnNumber) (_turn, _receives) = (connection.Loop.TurnNumber, 0);
        return _receives++ < ReceivesPerTurn;
    }

    [DoesNotReturn]
    private static void ThrowBroken(int errno)
    {
        var cause = Errno.ToException(errno);
        throw new IOException(cause.Message, cause);
    }
}
