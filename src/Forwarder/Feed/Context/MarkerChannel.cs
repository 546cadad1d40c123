using System.Text;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>On which channel is a marker published, so that it comes back in the node's own stream and goes to as few other nodes as possible?</summary>
public sealed class MarkerChannel
{
    public const string PlainName = "__keyevt__:marker";

    private readonly byte[] _head;

    private MarkerChannel(string name, string prefix, string? tag = null)
    {
        Name = name;
        Tag = tag;
        SubscribeCommand = prefix + "SUBSCRIBE";
        UnsubscribeCommand = prefix + "UNSUBSCRIBE";
        PublishCommand = prefix + "PUBLISH";
        var kind = prefix.ToLowerInvariant() + "message";
        _head = Encoding.ASCII.GetBytes($">3\r\n${kind.Length}\r\n{kind}\r\n${name.Length}\r\n{name}\r\n$");
    }

    public static MarkerChannel Plain { get; } = new(PlainName, "");

    public string Name { get; }

    /// <summary>
    /// Whether its messages go to the nodes of one shard only. They bypass the replication stream, so on a replica their position says nothing about
    /// its master's events.
    /// </summary>
    public bool IsShard => Tag is not null;

    /// <summary>The hash tag of the slot to which the channel belongs; null for the plain channel.</summary>
    public string? Tag { get; }

    public string SubscribeCommand { get; }

    public string UnsubscribeCommand { get; }

    public string PublishCommand { get; }

    /// <summary>The first bytes of the frame of a message on this channel, up to the payload's length.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>
    /// The channel of a group at one node of a cluster. All members must hear the same messages at all times. So it does not depend on which slots the node
    /// serves, which they learn at different times.
    /// </summary>
    /// <param name="run">The node's run id, as positions have it.</param>
    public static MarkerChannel OfNode(ulong run) => new(FormattableString.Invariant($"{PlainName}:{run:x16}"), "");

    /// <summary>A channel for a cluster, where a message sent with PUBLISH would go to all nodes.</summary>
    /// <param name="tag">A hash tag whose slot the node or its master serves.</param>
    public static MarkerChannel InShard(string tag) => new($"{PlainName}{{{tag}}}", "S", tag);
}
