using System.Buffers.Binary;
using System.Net.Sockets;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>
/// Has a client begun to speak TLS? Reads its first record whole before anything costly is made for it: type 22 (handshake), version, length, then that many
/// bytes (RFC 8446, section 5.1). While nothing comes, no buffer is held; later a small one, which grows only with what has come.
/// </summary>
internal static class ClientHello
{
    private const byte HandshakeRecord = 22;
    private const int HeaderBytes = 5;
    private const int MaxRecordBytes = 16 * 1024;
    private const int FirstBytes = 512;

    /// <summary>Returns what the client has sent so far, at least one record. Empty: the client left without sending anything.</summary>
    /// <exception cref="TlsFailedException">The client speaks something else, or left in the middle of the record.</exception>
    /// <exception cref="SocketException">The connection broke, or this side closed the socket.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(Socket socket)
    {
        await ReceiveFirstAsync(socket, Memory<byte>.Empty).ConfigureAwait(false); // waits without a buffer until there are bytes, or the end
        var bytes = new byte[FirstBytes];
        for (var count = 0; ;)
        {
            var received = count == 0 ? await ReceiveFirstAsync(socket, bytes).ConfigureAwait(false) : await socket.ReceiveAsync(bytes.AsMemory(count), SocketFlags.None).ConfigureAwait(false);
            if (received == 0)
            {
                return count == 0 ? ReadOnlyMemory<byte>.Empty : throw new TlsFailedException("it left in the middle of its first message");
            }

            count += received;
            if (IsWhole(bytes.AsSpan(0, count))) return bytes.AsMemory(0, count);
            if (count == bytes.Length) Array.Resize(ref bytes, Math.Min(2 * count, HeaderBytes + MaxRecordBytes));
        }
    }

    /// <summary>A reset in front of the first byte counts as the end: a program that only checks whether the port is open often leaves by one.</summary>
    private static async ValueTask<int> ReceiveFirstAsync(Socket socket, Memory<byte> bytes)
    {
        try
        {
            return await socket.ReceiveAsync(bytes, SocketFlags.None).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] != HandshakeRecord) ThrowNoTls();
        if (bytes.Length < HeaderBytes) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        if (length > MaxRecordBytes) ThrowNoTls();
        return bytes.Length >= HeaderBytes + length;
    }

    private static void ThrowNoTls() => throw new TlsFailedException("it speaks no TLS");
}
