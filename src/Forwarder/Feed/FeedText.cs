namespace KeyEvt.Forwarder.Feed;

/// <summary>How may what a server wrote be shown? One line, printable, short, and never with a secret in it.</summary>
internal static class FeedText
{
    private const int MaxLength = 160;

    public static string Clean(string text, string? secret = null)
    {
        if (!string.IsNullOrEmpty(secret))
            text = text.Replace(secret, "***", StringComparison.Ordinal);

        bool isLong = text.Length > MaxLength;
        return string.Create(isLong ? MaxLength : text.Length, text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) ? ' ' : source[i];
        }) + (isLong ? "..." : "");
    }
}
