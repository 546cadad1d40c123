using System.Globalization;

namespace KeyEvt.Servers.Group;

/// <summary>To which process belongs a connection that another program sees as a port?</summary>
internal static class ProcessSockets
{
    private const string Beginning = "socket:[";

    private static readonly string[] Tables = ["tcp", "tcp6"];

    /// <summary>Whether the process has a TCP connection from this local port to that port. One that has ended has none.</summary>
    public static bool Has(int process, int from, int to)
    {
        try
        {
            var sockets = InodesOf(process);
            return Tables.SelectMany(table => File.ReadLines($"/proc/{process}/net/{table}").Skip(1)).Any(line => IsFrom(line, from, to, sockets));
        }
        catch (IOException)
        {
            return false;
        }
    }

    // man proc_pid_net: sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...; an address ends with its port in hex.
    private static bool IsFrom(string line, int from, int to, HashSet<string> sockets) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 9 } words && PortOf(words[1]) == from && PortOf(words[2]) == to && sockets.Contains(words[9]);

    private static int PortOf(string address) => int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static HashSet<string> InodesOf(int process) =>
        [.. Directory.GetFileSystemEntries($"/proc/{process}/fd").Select(TargetOf).Where(target => target.StartsWith(Beginning, StringComparison.Ordinal)).Select(target => target[Beginning.Length..^1])];

    /// <summary>Empty when it was closed meanwhile.</summary>
    private static string TargetOf(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
