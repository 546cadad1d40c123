using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>
/// May another client be accepted, or are file descriptors about to run out? Some are kept back: the .NET runtime ends the process ("Out of memory.") when it
/// finds none for itself, so accepting stops before that, as if there were none left.
/// </summary>
internal static class DescriptorReserve
{
    private const int KeptBack = 64;

    /// <summary>How many of so many are kept back: see <see cref="Listen.OpenFiles"/>, or clients within their limit would have to wait.</summary>
    public static long KeptBackOf(long limit) => Math.Min(KeptBack, limit / 8);

    /// <summary>Free numbers are given out from the lowest, so only a high one is reason to look closer.</summary>
    /// <param name="last">The last accepted one.</param>
    /// <exception cref="SocketException">Pressure, see <see cref="Listen.AcceptErrors"/>: whoever asks to be let in waits in the kernel's queue.</exception>
    public static void ThrowIfScarce(nint last)
    {
        if (!OperatingSystem.IsLinux()) return;
        var limit = Libc.MaxDescriptors(); // may be changed from outside
        var highest = limit - KeptBackOf(limit);
        if (last >= highest && Libc.LowestFree() >= highest) throw new SocketException((int)SocketError.TooManyOpenSockets);
    }
}
