namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>Could this folder be the spool? For <c>keyevt check</c>. Also works while a program uses the folder.</summary>
public static class SpoolProbe
{
    /// <summary>Creates the folder if it does not exist, checks its contents, and writes and removes a file whose name the spool ignores.</summary>
    /// <exception cref="SpoolException">The folder cannot be used; the message says why.</exception>
    public static void Try(string folder)
    {
        SpoolFolder.Find(folder);
        try
        {
            var trial = Path.Combine(folder, $".keyevt-check-{Guid.NewGuid():n}");
            File.WriteAllBytes(trial, [0]);
            File.Delete(trial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(folder, $"it cannot be written: {e.Message}", e);
        }
    }
}
