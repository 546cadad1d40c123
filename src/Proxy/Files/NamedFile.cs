using System.Globalization;
using KeyEvt.Forwarder.Files;

namespace KeyEvt.Proxy.Files;

/// <summary>A file that an option names. Who else may read or change it?</summary>
/// <param name="Source">Who named it, as the user wrote it: <c>--tls-key</c>.</param>
/// <param name="IsSecret">Nobody else should read it: a key, a password, the file of options. Else it is enough that nobody else can change it.</param>
internal sealed record NamedFile(string Source, string Path, bool IsSecret)
{
    private const UnixFileMode OfOthers = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const UnixFileMode Write = UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
    private const uint Root = 0;

    /// <summary>Null: nobody but this user and root. Or it cannot be told.</summary>
    public string? Exposure()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            return FileStatus.Of(Path, followLinks: true) is { IsRegular: true } status ? Describe(status, FileStatus.CurrentUser) : null;
        }
        catch (IOException)
        {
            return null; // who reads it will say so
        }
    }

    private string? Describe(in FileStatus status, uint user)
    {
        if (status.Owner != Root && status.Owner != user)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Source} names the file '{Path}', which belongs to another user (number {status.Owner}), who can change it: let it belong to the user of keyevt, or to root");
        }

        var open = status.Rights & OfOthers;
        if (status.Owner == Root && user != Root) open &= ~UnixFileMode.GroupRead; // that is how this user may read it
        if (!IsSecret) open &= Write;
        if (open == 0) return null;
        var may = (open & Write) == 0 ? "read" : IsSecret ? "read or change" : "change";
        var mode = Convert.ToString((int)status.Rights & 0x1FF, 8);
        return $"{Source} names the file '{Path}', which others may {may} (mode {mode}): take these rights away (chmod {(IsSecret ? "go-rwx" : "go-w")})";
    }
}
