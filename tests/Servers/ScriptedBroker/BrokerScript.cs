// What does the scripted broker answer?
namespace KeyEvt.Servers;

/// <summary>
/// Each default is that of a broker in good health. A script is looked at when its question comes up, so another one can be put in place while
/// connections are open.
/// </summary>
public sealed record BrokerScript
{
    /// <summary>Offered in connection.tune: the longest frame in bytes, its 8 bytes of frame included.</summary>
    public uint FrameMax { get; init; } = 131_072;

    /// <summary>Offered in connection.tune, seconds; the program's own wish may be lower.</summary>
    public ushort Heartbeat { get; init; } = 60;

    /// <summary>Accepts, and never says a word: no greeting, no answer, no heartbeat.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Sent instead of the greeting.</summary>
    public byte[]? Garbage { get; init; }

    /// <summary>Asked at exchange.declare; code and text of a channel.close, or null for "it is there".</summary>
    public Func<string, (ushort Code, string Text)?> OnExchange { get; init; } = _ => null;

    /// <summary>Asked for each message, one after the other. Confirms it by default.</summary>
    public Func<ScriptedConnection, PublishedMessage, Task> OnPublish { get; init; } = (connection, message) => connection.AckAsync(message.Tag);
}
