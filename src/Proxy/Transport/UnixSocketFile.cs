using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Transport.Posix;
using Microsoft.Win32.SafeHandles;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// How does a unix socket come to its path, and how is it removed? Only a socket on which nobody listens is ever removed, and at the end only the one that was
/// made here. At no moment may more users connect than the final mode allows.
/// <para>
/// Bound by the system call and not by <see cref="Socket.Bind"/>: a socket that was bound by the latter deletes, when it is closed, whatever is at its path at
/// that time.
/// </para>
/// </summary>
internal sealed unsafe partial class UnixSocketFile(string path)
{
    private const int UnixFamily = 1;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FileStatus? _made;

    /// <summary>Makes a socket that is bound, but does not listen yet.</summary>
    /// <param name="mode">Null: the process' umask decides.</param>
    /// <exception cref="SocketPathException">Something else is at the path, or the directory does not exist, or this process has no right to it.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    public Socket Bind(UnixFileMode? mode)
    {
        if (!OperatingSystem.IsLinux()) return BindElsewhere(mode);
        RemoveStale();
        var fd = Libc.Socket(UnixFamily, Libc.StreamSocket | Libc.CloseOnExec, 0);
        if (fd < 0) throw Errno.ToException(Marshal.GetLastSystemError());
        var handle = new SafeSocketHandle(fd, ownsHandle: true);
        try
        {
            if (mode is { } wanted) Narrow(fd, wanted & OwnerOnly); // the file gets the mode of the socket, less the umask
            Bind(fd);
            _made = FileStatus.Of(path, followLinks: false);
            if (mode is { } final) File.SetUnixFileMode(path, final);
            return new Socket(handle);
        }
        catch
        {
            handle.Dispose();
            Remove();
            throw;
        }
    }

    /// <summary>Removes the socket from its path. If something else is there by now, that stays.</summary>
    public void Remove()
    {
        try
        {
            if (_made is { } made && FileStatus.Of(path, followLinks: false) is { } there && there.IsSameAs(made)) File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it stays, and the next start removes it
        }
    }

    /// <summary>
    /// Removes a socket that nobody listens on, since it would keep the path taken for ever after its program died. A socket that answers belongs to somebody.
    /// </summary>
    private void RemoveStale()
    {
        if (FileStatus.Of(path, followLinks: false) is not { } there) return;
        if (!there.IsSocket)
        {
            throw new SocketPathException(path, $"{there.Kind} stands there, which is not removed: name another path, or remove it");
        }

        using var trial = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false }; // not blocking, as the queue of a program that is frozen may be full
        try
        {
            trial.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new SocketPathException(path, "a socket of another user stands there, which is not removed: name another path, or remove it");
        }
        catch (SocketException)
        {
            // Its queue is full, or it is of another kind. In either case it belongs to somebody.
        }

        throw new SocketPathException(path, "another program listens there");
    }

    private void Bind(int fd)
    {
        var address = new UnixDomainSocketEndPoint(path).Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Bind(fd, bytes, (uint)address.Size) != 0)
            {
                throw new SocketPathException(path, Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError()));
            }
        }
    }

    private static void Narrow(int fd, UnixFileMode mode)
    {
        using var socket = new SafeFileHandle(fd, ownsHandle: false);
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(socket, mode);
    }

    /// <summary>
    /// For systems other than Linux, which nobody uses in production. Nothing is removed first, and nobody can connect before the socket listens.
    /// </summary>
    private Socket BindElsewhere(UnixFileMode? mode)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (mode is { } wanted && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, wanted);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "bind")]
    private static partial int Bind(int fd, byte* address, uint length);
}
