using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How many clients may be on their way through the TLS handshake at once, all together and from one network?</summary>
/// <param name="Waiting">Clients that have sent nothing yet, and clients that wait for their turn. They cost a descriptor and a few hundred bytes each.</param>
/// <param name="Handshakes">Clients whose handshake runs. These cost CPU and the buffers of a TLS connection.</param>
internal sealed record HandshakeLimits(int Waiting, int Handshakes)
{
    /// <summary>Of <see cref="Waiting"/>, from one network. Whoever is silent is put out when a newer client comes, so this keeps nobody out who speaks.</summary>
    public int SilentOfOneNetwork => Math.Max(1, Waiting / 4);

    /// <summary>Of <see cref="Waiting"/>, from one network: clients that have spoken and wait for their turn. A thousand clients of one machine may come at once, after a restart.</summary>
    public int WaitingOfOneNetwork => Math.Max(1, Waiting / 2);

    /// <summary>Of <see cref="Handshakes"/>, from one network.</summary>
    public int HandshakesOfOneNetwork => Math.Max(1, Handshakes / 4);

    /// <summary>Descriptors that clients without a session may take.</summary>
    public int Descriptors => Waiting + Handshakes;

    public static HandshakeLimits OfThisProcess => For(OperatingSystem.IsLinux() ? Libc.MaxDescriptors() : long.MaxValue);

    /// <summary>A process that may have few open files keeps most of them for sessions.</summary>
    public static HandshakeLimits For(long openFiles) => new((int)Math.Clamp(openFiles / 8, 16, 4096), (int)Math.Clamp(openFiles / 8, 16, 256));

    /// <summary>Whom does an address belong to? An IPv4 address to itself. Of IPv6 everybody has 2^64 addresses, so the first half counts.</summary>
    public static UInt128 NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetworkV6) bytes[8..].Clear();
        else bytes[15] = 4; // IPv4 and IPv6 never meet
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
