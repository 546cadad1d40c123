namespace KeyEvt.Forwarder.Events;

/// <summary>What does the message id of a published gap look like? It begins in a way that no event's id does.</summary>
internal static class GapMessageId
{
    private const string Prefix = "gap-";

    /// <param name="instance">Names the program, as gaps are numbered by each one itself.</param>
    public static string Of(string instance, Gap gap) => FormattableString.Invariant($"{Prefix}{instance}-{gap.Id}-{gap.LastPosition}");

    /// <summary>Whether a message id is that of a gap.</summary>
    public static bool Is(ReadOnlySpan<byte> messageId) => messageId.StartsWith("gap-"u8);
}
