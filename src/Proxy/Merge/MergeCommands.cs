using System.Text;

namespace KeyEvt.Proxy.Merge;

/// <summary>Which commands concern a merged stream?</summary>
internal enum MergeCommand
{
    None,

    /// <summary>SUBSCRIBE and PSUBSCRIBE.</summary>
    Subscribe,

    Unsubscribe,

    /// <summary>PUNSUBSCRIBE.</summary>
    UnsubscribePatterns,

    Multi,

    /// <summary>EXEC and DISCARD.</summary>
    EndOfMulti,

    Hello,

    Reset,
}

internal static class MergeCommands
{
    /// <param name="name">The name, or as much of it as the filter is shown.</param>
    /// <param name="length">Of the whole name.</param>
    public static MergeCommand Of(ReadOnlySpan<byte> name, long length) => (length, name[0] | 0x20) switch
    {
        (9, 's') when Ascii.EqualsIgnoreCase(name, "SUBSCRIBE"u8) => MergeCommand.Subscribe,
        (10, 'p') when Ascii.EqualsIgnoreCase(name, "PSUBSCRIBE"u8) => MergeCommand.Subscribe,
        (11, 'u') when Ascii.EqualsIgnoreCase(name, "UNSUBSCRIBE"u8) => MergeCommand.Unsubscribe,
        (12, 'p') when Ascii.EqualsIgnoreCase(name, "PUNSUBSCRIBE"u8) => MergeCommand.UnsubscribePatterns,
        (5, 'm') when Ascii.EqualsIgnoreCase(name, "MULTI"u8) => MergeCommand.Multi,
        (4, 'e') when Ascii.EqualsIgnoreCase(name, "EXEC"u8) => MergeCommand.EndOfMulti,
        (7, 'd') when Ascii.EqualsIgnoreCase(name, "DISCARD"u8) => MergeCommand.EndOfMulti,
        (5, 'h') when Ascii.EqualsIgnoreCase(name, "HELLO"u8) => MergeCommand.Hello,
        (5, 'r') when Ascii.EqualsIgnoreCase(name, "RESET"u8) => MergeCommand.Reset,
        _ => MergeCommand.None,
    };
}
