// Which TCP port may a private server listen on, also again after a restart?
using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Servers;

/// <summary>
/// Ports below the system's ephemeral range: no outgoing connection takes one while its server is down, so a restart
/// finds it free. Handed out once per process, from a random start so that test processes side by side rarely meet.
/// </summary>
public static class FreePorts
{
    private const int First = 15_000;
    private const int Last = 31_999;
    private static readonly Lock Taking = new();
    private static int _next = Random.Shared.Next(First, Last);

    public static int Take()
    {
        lock (Taking)
        {
            for (var tries = First; tries <= Last; tries++)
            {
                _next = _next >= Last ? First : _next + 1;
                if (IsFree(_next)) return _next;
            }
        }
        throw new InvalidOperationException($"no free TCP port between {First} and {Last}");
    }

    /// <summary>So many, one behind the other; the first of them.</summary>
    public static int TakeRange(int count)
    {
        lock (Taking)
        {
            for (var tries = First; tries <= Last; tries += count)
            {
                var from = _next + count >= Last ? First : _next + 1;
                _next = from + count - 1;
                if (Enumerable.Range(from, count).All(IsFree)) return from;
            }
        }
        throw new InvalidOperationException($"no {count} free TCP ports in a row between {First} and {Last}");
    }

    public static bool IsFree(int port)
    {
        try
        {
            using var any = new TcpListener(IPAddress.Any, port);
            any.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
