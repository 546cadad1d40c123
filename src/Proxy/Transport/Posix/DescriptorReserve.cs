using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>
/// May another client be accepted, or are file descriptors about to run out? Some are kept back, as the .NET runtime ends the process ("Out of memory.") when
/// it finds none for itself. So accepting stops before that, as if there were no descriptors left.
/// </summary>
internal static class DescriptorReserve
{
    private const int KeptBack = 64;

    /// <summary>
    /// How many descriptors are kept back under this limit. <see cref="Listen.OpenFiles"/> must count them, or clients within their own limit would have to
    /// wait.
    /// </summary>
    public static long KeptBackOf(long limit) => Math.Min(KeptBack, limit / 8);

    /// <summary>Throws when few descriptors are free. The lowest free number is given out first, so only a high one is a reason to look closer.</summary>
    /// <param name="last">The descriptor that was accepted last.</param>
    /// <exception cref="SocketException">
    /// Short of resources, see <see cref="Listen.AcceptErrors"/>. Whoever connects meanwhile waits in the kernel's queue.
    /// </exception>
    public static void ThrowIfScarce(nint last)
    {
        if (!OperatingSystem.IsLinux()) return;
        var limit = Libc.MaxDescriptors(); // asked each time, as it may be changed from outside
        var highest = limit - KeptBackOf(limit);
        if (last >= highest && Libc.LowestFree() >= highest) throw new SocketException((int)SocketError.TooManyOpenSockets);
    }
}
