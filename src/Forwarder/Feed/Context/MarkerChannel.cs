using System.Text;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>On which channel does a group speak at a node, so that all its members hear the same in that node's own stream?</summary>
public sealed class MarkerChannel
{
    public const string PlainName = "__keyevt__:marker";

    public const string Subscribe = "SUBSCRIBE";

    public const string Publish = "PUBLISH";

    private readonly byte[] _head;

    private MarkerChannel(string name)
    {
        Name = name;
        _head = Encoding.ASCII.GetBytes($">3\r\n$7\r\nmessage\r\n${name.Length}\r\n{name}\r\n$");
    }

    /// <summary>Where there is no cluster, whose bus would bring the messages to other nodes.</summary>
    public static MarkerChannel Plain { get; } = new(PlainName);

    public string Name { get; }

    /// <summary>The first bytes of the frame of a message on this channel, up to the payload's length.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>
    /// The channel at one node of a cluster. All members must hear the same messages at all times. So it does not depend on which slots the node
    /// serves, which they learn at different times.
    /// </summary>
    /// <param name="run">The node's run id, as positions have it.</param>
    public static MarkerChannel OfNode(ulong run) => new(FormattableString.Invariant($"{PlainName}:{run:x16}"));

    public static MarkerChannel Of(bool isCluster, ulong run) => isCluster ? OfNode(run) : Plain;
}
