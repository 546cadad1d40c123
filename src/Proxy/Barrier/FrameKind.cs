namespace KeyEvt.Proxy.Barrier;

/// <summary>Of which kind is a frame that arrives between two marks?</summary>
internal enum FrameKind
{
    /// <summary>More of its first bytes are needed to tell.</summary>
    Unknown,

    /// <summary>Not a reply, and so the client's: a RESP3 push, a RESP2 message of a subscription, or a MONITOR line.</summary>
    OutOfBand,

    /// <summary>A reply that begins exactly as a successful CONFIG GET notify-keyspace-events does.</summary>
    ConfigValue,

    Error,

    Queued,

    /// <summary>A bulk string, as ACL WHOAMI answers.</summary>
    Bulk,

    Other,
}

internal static class FrameKinds
{
    private static readonly (byte[] Beginning, FrameKind Kind)[] Known =
    [
        // RESP2 and RESP3. The value must follow as a bulk string.
        ("*2\r\n$22\r\nnotify-keyspace-events\r\n$"u8.ToArray(), FrameKind.ConfigValue),
        ("%1\r\n$22\r\nnotify-keyspace-events\r\n$"u8.ToArray(), FrameKind.ConfigValue),
        ("+QUEUED\r\n"u8.ToArray(), FrameKind.Queued),
        // In RESP2 only the first element distinguishes the message of a subscription from a reply.
        ("*3\r\n$7\r\nmessage\r\n"u8.ToArray(), FrameKind.OutOfBand),
        ("*4\r\n$8\r\npmessage\r\n"u8.ToArray(), FrameKind.OutOfBand),
        ("*3\r\n$8\r\nsmessage\r\n"u8.ToArray(), FrameKind.OutOfBand),
        ("*3\r\n$12\r\nsunsubscribe\r\n"u8.ToArray(), FrameKind.OutOfBand), // sent when its slot has moved away
    ];

    /// <summary>How many bytes at the beginning always suffice to tell the kind.</summary>
    public const int HeadBytes = 40;

    /// <param name="head">The frame's first bytes, at least one.</param>
    public static FrameKind Of(ReadOnlySpan<byte> head)
    {
        switch (head[0])
        {
            case (byte)'>': return FrameKind.OutOfBand;
            case (byte)'-': return FrameKind.Error;
            case (byte)'$': return FrameKind.Bulk;
            case (byte)'+' when head.Length == 1: return FrameKind.Unknown;
            case (byte)'+' when char.IsAsciiDigit((char)head[1]): return FrameKind.OutOfBand; // MONITOR: +<seconds>.<micros> [db addr] "cmd" ...
        }

        var kind = FrameKind.Other;
        foreach (var (beginning, known) in Known)
        {
            if (head.StartsWith(beginning)) return known;
            if (beginning.AsSpan().StartsWith(head)) kind = FrameKind.Unknown;
        }

        return kind;
    }
}
