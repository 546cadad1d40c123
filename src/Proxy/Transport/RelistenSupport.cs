using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Can a TCP socket stop listening and begin again, and keep its port meanwhile? Linux can. Tried once, on a socket of its own, since what replaces the kernel
/// in a sandbox may not.
/// </summary>
internal static class RelistenSupport
{
    private static readonly Lazy<bool> Result = new(() => Platform.HasEpoll && Try());

    public static bool Works => Result.Value;

    private static bool Try()
    {
        try
        {
            using var listener = NewSocket();
            listener.Bind(FreePlace()); // by its number: a port that the kernel has chosen is lost at the shutdown
            listener.Listen(1);
            var (place, fd) = (listener.LocalEndPoint!, listener.SafeHandle.DangerousGetHandle().ToInt32());
            _ = Libc.Shutdown(fd, Libc.ShutdownBoth);
            return !IsOpen(place) && Libc.Listen(fd, 1) == 0 && IsOpen(place);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Whether somebody listens there. On loopback, so the answer comes at once.</summary>
    private static bool IsOpen(EndPoint place)
    {
        using var trial = NewSocket();
        try
        {
            trial.Connect(place);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    private static EndPoint FreePlace()
    {
        using var any = NewSocket();
        any.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return any.LocalEndPoint!;
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
