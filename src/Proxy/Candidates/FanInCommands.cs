using System.Text;

namespace KeyEvt.Proxy.Candidates;

/// <summary>Which commands concern a merged subscription?</summary>
internal enum FanInCommand
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

internal static class FanInCommands
{
    /// <param name="name">The command's name, or as much of it as the filter gets.</param>
    /// <param name="length">The length of the whole name.</param>
    public static FanInCommand Of(ReadOnlySpan<byte> name, long length) => (length, name[0] | 0x20) switch
    {
        (9, 's') when Ascii.EqualsIgnoreCase(name, "SUBSCRIBE"u8) => FanInCommand.Subscribe,
        (10, 'p') when Ascii.EqualsIgnoreCase(name, "PSUBSCRIBE"u8) => FanInCommand.Subscribe,
        (11, 'u') when Ascii.EqualsIgnoreCase(name, "UNSUBSCRIBE"u8) => FanInCommand.Unsubscribe,
        (12, 'p') when Ascii.EqualsIgnoreCase(name, "PUNSUBSCRIBE"u8) => FanInCommand.UnsubscribePatterns,
        (5, 'm') when Ascii.EqualsIgnoreCase(name, "MULTI"u8) => FanInCommand.Multi,
        (4, 'e') when Ascii.EqualsIgnoreCase(name, "EXEC"u8) => FanInCommand.EndOfMulti,
        (7, 'd') when Ascii.EqualsIgnoreCase(name, "DISCARD"u8) => FanInCommand.EndOfMulti,
        (5, 'h') when Ascii.EqualsIgnoreCase(name, "HELLO"u8) => FanInCommand.Hello,
        (5, 'r') when Ascii.EqualsIgnoreCase(name, "RESET"u8) => FanInCommand.Reset,
        _ => FanInCommand.None,
    };
}
