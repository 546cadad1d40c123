namespace KeyEvt.Forwarder.Feed;

/// <summary>How may what a server wrote be shown? One line, printable, short, and never with a secret in it.</summary>
internal static class FeedText
{
    private const int MaxLength = 160;

    public static string Clean(string text, string? secret = null)
    {
        if (!string.IsNullOrEmpty(secret))
            text = text.Replace(secret, "***", StringComparison.Ordinal);

        return CleanText.Line(text, MaxLength);
    }
}
