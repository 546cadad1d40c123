namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>Which system calls are there on this system?</summary>
internal static class Platform
{
    /// <summary>libc's own functions are called by their 64-bit layouts.</summary>
    public static bool HasEpoll => OperatingSystem.IsLinux() && Environment.Is64BitProcess;
}
