namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>Would this folder do as the spool? For <c>keyevt check</c>; also while a program uses it.</summary>
public static class SpoolProbe
{
    /// <summary>Makes the folder if it is not there, looks at what is in it, and writes and removes a file of a name that a spool does not mind.</summary>
    /// <exception cref="SpoolException">It would not do; the message says why.</exception>
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
