namespace KeyEvt.Forwarder.Events;

/// <summary>What does the message id of a published gap look like? It begins with a prefix that no event's id (<see cref="EventMessageId"/>) has.</summary>
internal static class GapMessageId
{
    private const string Prefix = "gap-";

    /// <param name="instance">The name of the program, because each program numbers its own gaps.</param>
    public static string Of(string instance, Gap gap) => FormattableString.Invariant($"{Prefix}{instance}-{gap.Id}-{gap.LastPosition}");

    /// <summary>Whether a message id is that of a gap.</summary>
    public static bool Is(ReadOnlySpan<byte> messageId) => messageId.StartsWith("gap-"u8);
}
