using System.Net;
using System.Runtime.InteropServices;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>Who is at the other end of an accepted connection? Kept as the kernel wrote it; text is made only when somebody wants to read it.</summary>
internal readonly struct PeerAddress
{
    private const int InterNetwork = 2;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;
    private readonly ushort _port;
    private readonly ushort _family;

    /// <param name="address">struct sockaddr_in: family, port, 4 bytes of address. Or sockaddr_in6: family, port, flow, 16 bytes of address, scope.</param>
    public PeerAddress(ReadOnlySpan<byte> address)
    {
        _family = MemoryMarshal.Read<ushort>(address);
        _port = (ushort)((address[2] << 8) | address[3]);
        if (_family == InterNetwork)
        {
            _high = MemoryMarshal.Read<uint>(address[4..]);
            return;
        }

        _high = MemoryMarshal.Read<ulong>(address[8..]);
        _low = MemoryMarshal.Read<ulong>(address[16..]);
        _scope = MemoryMarshal.Read<uint>(address[24..]);
    }

    public override string ToString()
    {
        if (_family == InterNetwork) return new IPEndPoint(new IPAddress((long)_high), _port).ToString();
        Span<byte> bytes = stackalloc byte[16];
        MemoryMarshal.Write(bytes, _high);
        MemoryMarshal.Write(bytes[8..], _low);
        return new IPEndPoint(new IPAddress(bytes, _scope), _port).ToString();
    }
}
