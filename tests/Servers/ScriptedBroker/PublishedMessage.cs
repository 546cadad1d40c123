// What did the program publish to the scripted broker?
using System.Text;

namespace KeyEvt.Servers;

/// <summary>One basic.publish, complete.</summary>
/// <param name="Connection">1 for the first connection that the broker accepted, and so on.</param>
/// <param name="Tag">Its delivery tag: 1 for the first on a confirming channel.</param>
/// <param name="Header">The payload of its header frame, for sending it back.</param>
public sealed record PublishedMessage(int Connection, ushort Channel, ulong Tag, string Exchange, string RoutingKey, bool Mandatory, string? MessageId, byte[] Header, byte[] Body)
{
    /// <summary>Latin-1: one character a byte.</summary>
    public string Text => Encoding.Latin1.GetString(Body);

    /// <summary>The key of an event in the text format: behind the second line feed.</summary>
    public string Key => Text.Split('\n', 3)[2];
}
