using System.Text;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>Where is a marker published, so that it comes back in the node's own stream and goes to as few others as can be?</summary>
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

    /// <summary>Its messages go to the nodes of one shard, past the replication stream: on a replica their place among its master's echoes tells nothing.</summary>
    public bool IsShard => Tag is not null;

    /// <summary>Of the slot that it belongs to.</summary>
    public string? Tag { get; }

    public string SubscribeCommand { get; }

    public string UnsubscribeCommand { get; }

    public string PublishCommand { get; }

    /// <summary>What the frame of a message on it begins with, up to the payload's length.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>In a cluster: what is published with PUBLISH would go to all nodes.</summary>
    /// <param name="tag">Its slot is one of the node's, or of its master's.</param>
    public static MarkerChannel InShard(string tag) => new($"{PlainName}{{{tag}}}", "S", tag);
}
