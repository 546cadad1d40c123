using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>How many clients may be between accept and the end of the TLS handshake at once, in total and from one network?</summary>
/// <param name="Waiting">
/// Clients that have sent nothing yet, and clients that wait for their handshake. They cost a descriptor and a few hundred bytes each.
/// </param>
/// <param name="Handshakes">Clients whose handshake runs. They cost CPU and the buffers of a TLS connection.</param>
internal sealed record HandshakeLimits(int Waiting, int Handshakes)
{
    /// <summary>
    /// How many of <see cref="Waiting"/> may be silent clients of one network. A silent client is put out when a newer one comes, so this limit keeps out
    /// nobody who sends.
    /// </summary>
    public int SilentOfOneNetwork => Math.Max(1, Waiting / 4);

    /// <summary>
    /// How many of <see cref="Waiting"/> may be clients of one network that have sent and wait. After a restart, a thousand clients of one machine may come at
    /// once.
    /// </summary>
    public int WaitingOfOneNetwork => Math.Max(1, Waiting / 2);

    /// <summary>How many of <see cref="Handshakes"/> may belong to one network.</summary>
    public int HandshakesOfOneNetwork => Math.Max(1, Handshakes / 4);

    /// <summary>How many descriptors clients without a session may take.</summary>
    public int Descriptors => Waiting + Handshakes;

    public static HandshakeLimits OfThisProcess => For(OperatingSystem.IsLinux() ? Libc.MaxDescriptors() : long.MaxValue);

    /// <summary>The limits for a process that may have so many open files. If these are few, most of them are kept for sessions.</summary>
    public static HandshakeLimits For(long openFiles) => new((int)Math.Clamp(openFiles / 8, 16, 4096), (int)Math.Clamp(openFiles / 8, 16, 256));

    /// <summary>
    /// Which network does an address belong to? An IPv4 address counts as one of its own. With IPv6 everybody has 2^64 addresses, so only the first half of the
    /// address counts.
    /// </summary>
    public static UInt128 NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetworkV6) bytes[8..].Clear();
        else bytes[15] = 4; // so that an IPv4 address never equals an IPv6 network
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
