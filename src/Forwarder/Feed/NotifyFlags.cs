namespace KeyEvt.Forwarder.Feed;

/// <summary>How do the letters of notify-keyspace-events read and write?</summary>
public static class NotifyFlags
{
    public static bool TryParse(string letters, out EventClass classes, out string error) { classes = EventClass.Expired; error = letters; return true; }

    public static string Format(EventClass classes) => classes.ToString();
}
