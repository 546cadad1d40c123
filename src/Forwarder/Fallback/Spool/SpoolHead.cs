using System.Globalization;

namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>How far has the spool been read? The index is kept in a small file, which is replaced as a whole.</summary>
internal static class SpoolHead
{
    /// <summary>Reads the index; 0 if the file does not exist or is empty.</summary>
    /// <exception cref="SpoolException">The file does not hold an index that this program could have written.</exception>
    public static long Read(SpoolFolder folder)
    {
        if (FileIdentity.Of(folder.HeadPath) is null) return 0;

        string text;
        try
        {
            text = File.ReadAllText(folder.HeadPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(folder.Path, $"{folder.HeadPath} cannot be read: {e.Message}", e);
        }

        if (text.Length == 0) return 0; // a loss of power may leave it empty

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var head) && head <= SpoolFolder.MaxIndex
            ? head
            : throw new SpoolException(folder.Path, $"{folder.HeadPath} does not say how far the spool has been read; without that file all that is in the spool is sent again");
    }

    /// <exception cref="IOException">The disk refused. The old file stays.</exception>
    public static void Write(SpoolFolder folder, long head)
    {
        var next = folder.HeadPath + ".new";
        using (var file = SpoolFolder.Create(next, FileMode.Create))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(head.ToString(CultureInfo.InvariantCulture)));
            file.Flush(flushToDisk: true);
        }

        File.Move(next, folder.HeadPath, overwrite: true);
        folder.Flush();
    }
}
