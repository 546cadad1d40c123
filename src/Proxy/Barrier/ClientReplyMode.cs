namespace KeyEvt.Proxy.Barrier;

/// <summary>Is the client due a reply at this place, or has it switched replies off? <see cref="ReplyBarrier"/> finds out.</summary>
internal enum ClientReplyMode
{
    On,

    /// <summary>CLIENT REPLY SKIP stood directly in front.</summary>
    Skipped,

    /// <summary>CLIENT REPLY OFF is in force.</summary>
    Off,
}

/// <summary>The commands by which a client's replies are switched on for a moment, and off again behind it.</summary>
internal static class ClientReplyCommands
{
    public static byte[] On { get; } = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"u8.ToArray();

    /// <summary>The answer to <see cref="On"/>.</summary>
    public static byte[] OnAnswer { get; } = "+OK\r\n"u8.ToArray();

    /// <summary>Has no answer.</summary>
    public static byte[] Off { get; } = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"u8.ToArray();
}
