namespace KeyEvt.Proxy.Transport.Posix;

/// <summary>Which system calls does this system have?</summary>
internal static class Platform
{
    /// <summary>The structs that are passed to libc have their 64-bit layouts, so a 32-bit process does not count.</summary>
    public static bool HasEpoll => OperatingSystem.IsLinux() && Environment.Is64BitProcess;
}
