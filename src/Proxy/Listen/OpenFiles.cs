using System.Globalization;
using KeyEvt.Proxy.Transport.Posix;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Listen;

/// <summary>
/// For how many clients are there enough descriptors? Each client needs two. Redis lowers its maxclients at the start in the same way. Here it is necessary:
/// the runtime opens a pipe for every thread that it starts, and ends the program with "Out of memory" when it cannot. So clients must never get the last
/// descriptors.
/// </summary>
internal static class OpenFiles
{
    /// <summary>
    /// How many descriptors may be opened later: by the feed, the broker connection, the fallback storage, admin pages and threads, and for libraries (two each
    /// if they are not compiled ahead).
    /// </summary>
    private const int Growth = 128;

    /// <summary>The number of clients that is wanted, or as many as the limit of open files allows.</summary>
    /// <param name="others">How many connections there may be at once that are no sessions: refused clients and handshakes.</param>
    public static int Limit(int wantedClients, int others, ILogger logger)
    {
        if (wantedClients == int.MaxValue || ReadSoftLimit() is not { } allowed) return wantedClients;
        var own = Directory.GetFileSystemEntries("/proc/self/fd").Length + Math.Min(Growth, allowed / 4) + DescriptorReserve.KeptBackOf(allowed) + others;
        var needed = (2L * wantedClients) + own;
        if (needed <= allowed) return wantedClients;
        var limit = (int)Math.Max(1, (allowed - own) / 2);
        ListenLog.MaxClientsLowered(logger, wantedClients, needed, allowed, limit);
        return limit;
    }

    /// <summary>The soft limit of open files on Linux. Null on other systems, and when there is no limit.</summary>
    private static long? ReadSoftLimit()
    {
        try
        {
            // Max open files            1024                 524288               files
            string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
            var soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(3);
            return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
