using System.Globalization;
using KeyEvt.Proxy.Transport.Posix;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Listen;

/// <summary>
/// For how many clients are there descriptors? Each needs two. Redis lowers its maxclients in the same way at start. Here it is more than
/// politeness: the runtime opens a pipe for every thread it starts, and ends the program with "Out of memory" when it cannot. So clients
/// never get the last descriptors.
/// </summary>
internal static class OpenFiles
{
    /// <summary>Opened later: feed, broker, fallback storage, admin pages, threads, and libraries (two each, where nothing is compiled ahead).</summary>
    private const int Growth = 128;

    /// <summary>What is wanted, or as much of it as the limit of open files allows.</summary>
    /// <param name="others">Connections at once that are no sessions: refused clients, handshakes.</param>
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

    /// <summary>Of Linux; null elsewhere, and without a limit.</summary>
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
